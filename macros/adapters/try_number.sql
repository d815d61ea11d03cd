{# A text as decimal(28, 10), so that money can be rounded once, to its currency's minor unit; NULL when it is no plain number (NaN, infinity, thousands separators) or too large.
   An exponent is accepted as far as a double's text form has one. #}
{% macro try_number(expression) -%}
    {{ adapter.dispatch('try_number', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__try_number(expression) -%}
    {{ unsupported_adapter('try_number') }}
{%- endmacro %}

{% macro duckdb__try_number(expression) -%}
    case when {{ regexp_matches(expression, number_pattern()) }}
        then try_cast({{ expression }} as decimal(28, 10)) end
{%- endmacro %}

{# The outer CASE keeps the cast away from text that is no number, the inner one from numbers too large. #}
{% macro postgres__try_number(expression) -%}
    case when length({{ expression }}) < 400 and {{ regexp_matches(expression, number_pattern()) }}
        then case when abs(cast({{ expression }} as numeric)) < 999999999999999999
            then cast(cast({{ expression }} as numeric) as decimal(28, 10)) end end
{%- endmacro %}

{% macro spark__try_number(expression) -%}
    case when {{ regexp_matches(expression, number_pattern()) }}
        then try_cast({{ expression }} as decimal(28, 10)) end
{%- endmacro %}

{# A decimal number with an optional exponent of at most three digits. #}
{% macro number_pattern() -%}
    ^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]{1,3})?$
{%- endmacro %}
