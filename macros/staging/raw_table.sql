{# The raw table to select from; one without rows in place of an optional table that is not there. #}
{% macro raw_table(table) -%}
    {% set relation = source('raw', table) %}
    {{- relation if has_raw_column(table) else '(select 1 as nothing where 1 = 0) as ' ~ table -}}
{%- endmacro %}
