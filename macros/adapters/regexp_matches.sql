{# Whether a pattern is found in a text. NULL in, NULL out. #}
{% macro regexp_matches(expression, pattern) -%}
    {{ adapter.dispatch('regexp_matches', 'conversions')(expression, pattern) }}
{%- endmacro %}

{% macro default__regexp_matches(expression, pattern) -%}
    {{ unsupported_adapter('regexp_matches') }}
{%- endmacro %}

{% macro duckdb__regexp_matches(expression, pattern) -%}
    regexp_matches({{ expression }}, {{ quoted(pattern) }})
{%- endmacro %}

{% macro postgres__regexp_matches(expression, pattern) -%}
    ({{ expression }} ~ {{ quoted(pattern) }})
{%- endmacro %}

{% macro spark__regexp_matches(expression, pattern) -%}
    ({{ expression }} rlike {{ quoted(pattern) }})
{%- endmacro %}
