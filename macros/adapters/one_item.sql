{# A list of one item, as line_items() has them: a product without title and category. #}
{% macro one_item(product_id, quantity, unit_price) -%}
    {{ adapter.dispatch('one_item', 'conversions')(product_id, quantity, unit_price) }}
{%- endmacro %}

{% macro default__one_item(product_id, quantity, unit_price) -%}
    {{ unsupported_adapter('one_item') }}
{%- endmacro %}

{% macro duckdb__one_item(product_id, quantity, unit_price) -%}
    list_value(struct_pack(
        id := {{ product_id }}, quantity := {{ quantity }}, item_price := {{ unit_price }},
        title := cast(null as varchar), category := cast(null as varchar)
    ))
{%- endmacro %}

{% macro postgres__one_item(product_id, quantity, unit_price) -%}
    json_build_array(json_build_object(
        'id', {{ product_id }}, 'quantity', {{ quantity }}, 'item_price', {{ unit_price }},
        'title', null, 'category', null
    ))
{%- endmacro %}

{% macro spark__one_item(product_id, quantity, unit_price) -%}
    array(named_struct(
        'id', {{ product_id }}, 'quantity', {{ quantity }}, 'item_price', {{ unit_price }},
        'title', cast(null as string), 'category', cast(null as string)
    ))
{%- endmacro %}
