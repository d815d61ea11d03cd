{# A text YYYY-MM-DD as a date; NULL when there is no such day. #}
{% macro try_date(expression) -%}
    {{ adapter.dispatch('try_date', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__try_date(expression) -%}
    {{ unsupported_adapter('try_date') }}
{%- endmacro %}

{% macro duckdb__try_date(expression) -%}
    try_cast({{ expression }} as date)
{%- endmacro %}

{# pg_input_is_valid needs PostgreSQL 16. #}
{% macro postgres__try_date(expression) -%}
    case when pg_input_is_valid({{ expression }}, 'date') then cast({{ expression }} as date) end
{%- endmacro %}

{% macro spark__try_date(expression) -%}
    try_cast({{ expression }} as date)
{%- endmacro %}
