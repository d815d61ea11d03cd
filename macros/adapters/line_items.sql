{# An aggregate over int_order_lines__grouped's items: a group's lines as a list of structs with the fields id,
   quantity, item_price, title and category, in the order of their numbers. #}
{% macro line_items() -%}
    {{ adapter.dispatch('line_items', 'conversions')() }}
{%- endmacro %}

{% macro default__line_items() -%}
    {{ unsupported_adapter('line_items') }}
{%- endmacro %}

{% macro duckdb__line_items() -%}
    list(
        struct_pack(
            id := product_id, quantity := quantity, item_price := unit_price, title := title, category := category
        )
        order by line_number nulls last, product_id, quantity, unit_price
    )
{%- endmacro %}
