{# The text in lower case, letters of every script included. What warehouses do differently, lower_text does before. #}
{% macro lower_case(expression) -%}
    {{ adapter.dispatch('lower_case', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__lower_case(expression) -%}
    {{ unsupported_adapter('lower_case') }}
{%- endmacro %}

{% macro duckdb__lower_case(expression) -%}
    lower({{ expression }})
{%- endmacro %}

{# In a database whose locale is C, as many in containers are, lower() knows ASCII only, and É would keep its capital
   without a word. ICU's collation knows all letters, wherever PostgreSQL was built with ICU; else it is an error. #}
{% macro postgres__lower_case(expression) -%}
    lower({{ expression }} collate "und-x-icu")
{%- endmacro %}

{% macro spark__lower_case(expression) -%}
    lower({{ expression }})
{%- endmacro %}
