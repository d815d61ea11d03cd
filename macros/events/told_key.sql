{# The natural key of what an app or a conversation told. A purchase goes under its order's id, so that the order counts
   no second time when the shop learns of it; the rest under names that no other table's rows have. #}
{% macro told_key(table, id) -%}
    case
        when {{ table }}.event_name = 'Purchase' and {{ table }}.order_id is not null then {{ table }}.order_id
        else '{{ table }}-' || {{ table }}.{{ id }}
    end
{%- endmacro %}
