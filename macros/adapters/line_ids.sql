{# An aggregate: the product ids of a group's order lines as a list, in the order of line_items(). #}
{% macro line_ids(product_id, quantity, unit_price, line_number) -%}
    {{ adapter.dispatch('line_ids', 'conversions')(product_id, quantity, unit_price, line_number) }}
{%- endmacro %}

{% macro default__line_ids(product_id, quantity, unit_price, line_number) -%}
    {{ unsupported_adapter('line_ids') }}
{%- endmacro %}

{% macro duckdb__line_ids(product_id, quantity, unit_price, line_number) -%}
    list({{ product_id }} order by {{ line_number }} nulls last, {{ product_id }}, {{ quantity }}, {{ unit_price }})
{%- endmacro %}
