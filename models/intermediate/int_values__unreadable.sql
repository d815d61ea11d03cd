{#- The table that staging reads, its staging model, and the column that names a row to a person. -#}
{%- set tables = [
    ('orders', ref('stg_raw__orders'), 'order_id'),
    ('order_lines', ref('stg_raw__order_lines'), 'order_id'),
    ('sessions', ref('stg_raw__sessions'), 'session_id'),
    ('consent', ref('stg_raw__consent'), 'consent_id'),
    ('payments', ref('stg_raw__payments'), 'payment_id'),
] -%}
with

values_unreadable as (
    {% for table, staged, row_id in tables %}
    {%- set outer_loop = loop %}
    {%- for column in typed_raw_columns(table) %}
    select
        '{{ table }}' as table_name,
        '{{ column }}' as column_name,
        {{ row_id }} as row_id
    from {{ staged }}
    where unreadable_columns like '% {{ column }} %'
    {{- '\n    union all' if not (loop.last and outer_loop.last) }}
    {%- endfor %}
    {%- endfor %}

)

select * from values_unreadable
