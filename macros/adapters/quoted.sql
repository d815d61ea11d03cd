{# A text as an SQL string literal: quotes escaped, backslashes kept. #}
{% macro quoted(text) -%}
    {{ adapter.dispatch('quoted', 'conversions')(text) }}
{%- endmacro %}

{% macro default__quoted(text) -%}
    {{ unsupported_adapter('quoted') }}
{%- endmacro %}

{% macro duckdb__quoted(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{% macro postgres__quoted(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{# Spark reads backslash escapes in a literal, and two quotes as no quote at all. #}
{% macro spark__quoted(text) -%}
    '{{ text | replace("\\", "\\\\") | replace("'", "\\'") }}'
{%- endmacro %}
