{# A timestamp moved by a whole number of hours, which may be a column or negative. #}
{% macro add_hours(moment, hours) -%}
    {{ adapter.dispatch('add_hours', 'conversions')(moment, hours) }}
{%- endmacro %}

{% macro default__add_hours(moment, hours) -%}
    {{ unsupported_adapter('add_hours') }}
{%- endmacro %}

{% macro duckdb__add_hours(moment, hours) -%}
    ({{ moment }} + to_hours(cast({{ hours }} as bigint)))
{%- endmacro %}

{% macro postgres__add_hours(moment, hours) -%}
    ({{ moment }} + ({{ hours }}) * interval '1 hour')
{%- endmacro %}

{% macro spark__add_hours(moment, hours) -%}
    ({{ moment }} + ({{ hours }}) * interval '1' hour)
{%- endmacro %}
