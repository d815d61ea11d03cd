{# An aggregate: a group's order lines as a list of structs with the fields id, quantity, item_price, title, category,
   in the order of the line numbers. Its arguments are columns. #}
{% macro line_items(product_id, quantity, unit_price, title, category, line_number) -%}
    {{ adapter.dispatch('line_items', 'conversions')(product_id, quantity, unit_price, title, category, line_number) }}
{%- endmacro %}

{% macro default__line_items(product_id, quantity, unit_price, title, category, line_number) -%}
    {{ unsupported_adapter('line_items') }}
{%- endmacro %}

{% macro duckdb__line_items(product_id, quantity, unit_price, title, category, line_number) -%}
    list(
        struct_pack(
            id := {{ product_id }},
            quantity := {{ quantity }},
            item_price := {{ unit_price }},
            title := {{ title }},
            category := {{ category }}
        )
        order by {{ line_number }} nulls last, {{ product_id }}, {{ quantity }}, {{ unit_price }}
    )
{%- endmacro %}
