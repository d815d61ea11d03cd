{# An aggregate over int_order_lines__grouped's items: a group's lines as a list of structs with the fields id,
   quantity, item_price, title and category, in the order of their numbers. #}
{% macro line_items() -%}
    {{ adapter.dispatch('line_items', 'conversions')() }}
{%- endmacro %}

{% macro default__line_items() -%}
    {{ unsupported_adapter('line_items') }}
{%- endmacro %}

{% macro duckdb__line_items() -%}
    list_transform({{ duckdb__sorted_lines() }}, lambda line: struct_pack(
        id := line.product_id, quantity := line.quantity, item_price := line.unit_price,
        title := line.title, category := line.category
    ))
{%- endmacro %}

{# An aggregate that sorts costs far more than sorting each list. #}
{% macro duckdb__sorted_lines() -%}
    list_sort(list(struct_pack(
        is_last := line_number is null, line_number := line_number, product_id := product_id, quantity := quantity,
        unit_price := unit_price, title := title, category := category
    )))
{%- endmacro %}

{# PostgreSQL has no lists of unnamed structs: a JSON array. #}
{% macro postgres__line_items() -%}
    json_agg(
        json_build_object(
            'id', product_id, 'quantity', quantity, 'item_price', unit_price, 'title', title, 'category', category
        )
        order by line_number nulls last, product_id, quantity, unit_price
    )
{%- endmacro %}

{# Spark's aggregates know no order: the lines are sorted as structs, and then lose what they were sorted by. #}
{% macro spark__line_items() -%}
    transform({{ spark__sorted_lines() }}, line -> named_struct(
        'id', line.product_id, 'quantity', line.quantity, 'item_price', line.unit_price,
        'title', line.title, 'category', line.category
    ))
{%- endmacro %}

{% macro spark__sorted_lines() -%}
    array_sort(collect_list(struct(
        line_number is null as is_last, line_number, product_id, quantity, unit_price, title, category
    )))
{%- endmacro %}
