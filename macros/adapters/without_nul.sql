{# The text without NUL characters. #}
{% macro without_nul(expression) -%}
    {{ adapter.dispatch('without_nul', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__without_nul(expression) -%}
    {{ unsupported_adapter('without_nul') }}
{%- endmacro %}

{% macro duckdb__without_nul(expression) -%}
    replace({{ expression }}, chr(0), '')
{%- endmacro %}

{# A text cannot hold NUL here. #}
{% macro postgres__without_nul(expression) -%}
    {{ expression }}
{%- endmacro %}

{% macro spark__without_nul(expression) -%}
    replace({{ expression }}, chr(0), '')
{%- endmacro %}
