{# What a record's product_id, quantity, unit_price and content_ids say, as contents, content_ids, content_type and
   num_items: a select list. Without a quantity of one or more there is no item, only the id; what the record lists and
   counts itself goes before its product. The arguments are SQL of what the record says, product and the quantity being
   what it means otherwise. Ids may be separated by commas, or be written as a list, as a typed column or JSON has them. #}
{% macro product_columns(content_type, num_items) -%}
    {%- set has_item = 'product_id is not null and quantity between 1 and 1000000' -%}
    {%- set price = 'case when unit_price between 0 and 10000000000000 then unit_price end' -%}
    {%- set bare = "replace(replace(replace(content_ids, '[', ''), ']', ''), '\"', '')" -%}
    {%- set ids = split_list("case when content_ids like '[%]' then " ~ bare ~ " else content_ids end") -%}
    case
            when {{ has_item }}
                then {{ one_item('product_id', 'quantity', 'cast(' ~ price ~ ' as decimal(18, 4))') }}
        end as contents,
        coalesce({{ ids }}, case when product_id is not null then {{ list_of(['product_id']) }} end) as content_ids,
        case
            when product_id is null and {{ ids }} is null then null
            when lower({{ content_type }}) = 'product_group' then 'product_group'
            else 'product'
        end as content_type,
        coalesce(
            case when {{ num_items }} between 0 and 1000000000 then {{ num_items }} end,
            case when {{ has_item }} then quantity end
        ) as num_items
{%- endmacro %}
