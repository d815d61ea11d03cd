{# A text as a bigint: whole numbers only, '3' and '3.0' alike. NULL for anything else. #}
{% macro try_integer(expression) -%}
    {{ adapter.dispatch('try_integer', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__try_integer(expression) -%}
    {{ unsupported_adapter('try_integer') }}
{%- endmacro %}

{% macro duckdb__try_integer(expression) -%}
    case when {{ regexp_matches(expression, integer_pattern()) }}
        then try_cast(split_part({{ expression }}, '.', 1) as bigint) end
{%- endmacro %}

{% macro postgres__try_integer(expression) -%}
    case when {{ regexp_matches(expression, integer_pattern()) }}
        then cast(split_part({{ expression }}, '.', 1) as bigint) end
{%- endmacro %}

{% macro spark__try_integer(expression) -%}
    case when {{ regexp_matches(expression, integer_pattern()) }}
        then try_cast(split_part({{ expression }}, '.', 1) as bigint) end
{%- endmacro %}

{# At most 18 digits, so that every match fits a bigint; a fraction of zeros is what a float column leaves behind. #}
{% macro integer_pattern() -%}
    ^[-+]?[0-9]{1,18}([.]0*)?$
{%- endmacro %}
