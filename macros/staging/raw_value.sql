{# A column of raw_texts() as the kind that the contract reads it as; NULL when unreadable. #}
{% macro raw_value(table, column) -%}
    {%- set readers = {'time': as_time, 'number': as_number, 'integer': as_integer, 'bool': as_bool} -%}
    {%- set kind = typed_raw_columns(table)[column] -%}
    {{- raw_value_as_it_is(table, column) or readers[kind](column) -}}
{%- endmacro %}

{# The same of a column whose type needs no reading; none of another one, and in a unit test, which has no raw table. #}
{% macro raw_value_as_it_is(table, column) %}
    {% set kind = typed_raw_columns(table).get(column) %}
    {% set found = raw_columns(table) if execute and kind and has_raw_column(table, column) else none %}
    {% set data_type = (found or {}).get(column, {}).get('type') %}
    {{ return(typed_value(kind, data_type, column) if data_type else none) }}
{% endmacro %}
