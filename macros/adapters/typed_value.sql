{# A raw column as the kind that it is read as, straight from a type that holds nothing else: the value that reading its
   text would give, without the way through text. None for every other type. #}
{% macro typed_value(kind, data_type, column) %}
    {{ return(adapter.dispatch('typed_value', 'conversions')(kind, data_type, column)) }}
{% endmacro %}

{% macro default__typed_value(kind, data_type, column) %}
    {{ unsupported_adapter('typed_value') }}
{% endmacro %}

{# The bounds are those of as_time and try_integer. #}
{% macro duckdb__typed_value(kind, data_type, column) %}
    {% set is_decimal = data_type.startswith('decimal') %}
    {% set is_integer = data_type in ('tinyint', 'smallint', 'integer', 'bigint') %}
    {% if kind == 'time' and data_type == 'timestamp' %}
        {{ return("case when " ~ column ~ " >= cast('1970-01-01' as timestamp) and " ~ column
            ~ " < cast('2200-01-01' as timestamp) then " ~ column ~ " end") }}
    {% elif kind == 'number' and (is_decimal or is_integer) %}
        {{ return('try_cast(' ~ column ~ ' as decimal(28, 10))') }}
    {% elif kind == 'integer' and is_integer %}
        {{ return('case when abs(' ~ column ~ ') < 1000000000000000000 then cast(' ~ column ~ ' as bigint) end') }}
    {% elif kind == 'bool' and data_type == 'boolean' %}
        {{ return(column) }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}

{# Its numbers can be NaN and its times infinite, which reading the text sorts out. #}
{% macro postgres__typed_value(kind, data_type, column) %}
    {{ return(none) }}
{% endmacro %}

{# Its timestamps have a zone, or none that it tells apart. #}
{% macro spark__typed_value(kind, data_type, column) %}
    {{ return(none) }}
{% endmacro %}
