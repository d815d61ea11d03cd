{# The raw table to select from, in a slice the rows that belong to it; one without rows in place of an optional table
   that is not there. #}
{% macro raw_table(table) -%}
    {% set relation = source('raw', table) %}
    {%- set key = raw_keys().get(table) -%}
    {%- set slice_by = "'" ~ table ~ "', " ~ raw_text(table, key) if key -%}
    {{- sliced(relation, slice_by) if has_raw_column(table) else '(select 1 as nothing where 1 = 0) as ' ~ table -}}
{%- endmacro %}
