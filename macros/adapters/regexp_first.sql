{# What capture group 1 of a pattern holds in its first match; NULL when nothing matches. #}
{% macro regexp_first(expression, pattern) -%}
    {{ adapter.dispatch('regexp_first', 'conversions')(expression, pattern) }}
{%- endmacro %}

{% macro default__regexp_first(expression, pattern) -%}
    {{ unsupported_adapter('regexp_first') }}
{%- endmacro %}

{# regexp_extract gives an empty text when nothing matches. #}
{% macro duckdb__regexp_first(expression, pattern) -%}
    {{ not_empty('regexp_extract(' ~ expression ~ ', ' ~ quoted(pattern) ~ ', 1)') }}
{%- endmacro %}

{% macro postgres__regexp_first(expression, pattern) -%}
    nullif((regexp_match({{ expression }}, {{ quoted(pattern) }}))[1], '')
{%- endmacro %}

{% macro spark__regexp_first(expression, pattern) -%}
    nullif(regexp_extract({{ expression }}, {{ quoted(pattern) }}, 1), '')
{%- endmacro %}
