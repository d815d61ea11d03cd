{# A timestamp moved by a whole number of days, which may be a column or negative. #}
{% macro add_days(moment, days) -%}
    {{ adapter.dispatch('add_days', 'conversions')(moment, days) }}
{%- endmacro %}

{% macro default__add_days(moment, days) -%}
    {{ unsupported_adapter('add_days') }}
{%- endmacro %}

{% macro duckdb__add_days(moment, days) -%}
    ({{ moment }} + to_days(cast({{ days }} as integer)))
{%- endmacro %}

{% macro postgres__add_days(moment, days) -%}
    ({{ moment }} + ({{ days }}) * interval '1 day')
{%- endmacro %}

{% macro spark__add_days(moment, days) -%}
    ({{ moment }} + ({{ days }}) * interval '1' day)
{%- endmacro %}
