{# A text; NULL in place of an empty one. #}
{% macro not_empty(expression) -%}
    {{ adapter.dispatch('not_empty', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__not_empty(expression) -%}
    {{ unsupported_adapter('not_empty') }}
{%- endmacro %}

{# nullif() would compute the expression twice: once to compare it, once to return it. #}
{% macro duckdb__not_empty(expression) -%}
    list_filter([{{ expression }}], lambda t: t <> '')[1]
{%- endmacro %}

{% macro postgres__not_empty(expression) -%}
    nullif({{ expression }}, '')
{%- endmacro %}

{% macro spark__not_empty(expression) -%}
    nullif({{ expression }}, '')
{%- endmacro %}
