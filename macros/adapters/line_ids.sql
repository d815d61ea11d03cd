{# An aggregate over int_order_lines__grouped's items: a group's product ids as a list, in the order of line_items(). #}
{% macro line_ids() -%}
    {{ adapter.dispatch('line_ids', 'conversions')() }}
{%- endmacro %}

{% macro default__line_ids() -%}
    {{ unsupported_adapter('line_ids') }}
{%- endmacro %}

{% macro duckdb__line_ids() -%}
    list_transform({{ duckdb__sorted_lines() }}, lambda line: line.product_id)
{%- endmacro %}

{% macro postgres__line_ids() -%}
    array_agg(product_id order by line_number nulls last, product_id, quantity, unit_price)
{%- endmacro %}

{% macro spark__line_ids() -%}
    transform({{ spark__sorted_lines() }}, line -> line.product_id)
{%- endmacro %}
