{%- set pairs = [] -%}
{%- for field in field_sources() -%}
    {%- for table, column in raw_columns_of(field) if (field, table, column) not in pairs -%}
        {%- do pairs.append((field, table, column)) -%}
    {%- endfor -%}
{%- endfor -%}
with

field_sources as (
    {% for field, table, column in pairs %}
        select
            '{{ field }}' as field,
            '{{ table }}' as raw_table,
            '{{ column }}' as raw_column
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

)

select * from field_sources
