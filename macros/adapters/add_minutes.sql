{# A timestamp moved by a whole number of minutes, which may be a column or negative. #}
{% macro add_minutes(moment, minutes) -%}
    {{ adapter.dispatch('add_minutes', 'conversions')(moment, minutes) }}
{%- endmacro %}

{% macro default__add_minutes(moment, minutes) -%}
    {{ unsupported_adapter('add_minutes') }}
{%- endmacro %}

{% macro duckdb__add_minutes(moment, minutes) -%}
    ({{ moment }} + to_minutes(cast({{ minutes }} as bigint)))
{%- endmacro %}

{% macro postgres__add_minutes(moment, minutes) -%}
    ({{ moment }} + ({{ minutes }}) * interval '1 minute')
{%- endmacro %}

{% macro spark__add_minutes(moment, minutes) -%}
    ({{ moment }} + ({{ minutes }}) * interval '1' minute)
{%- endmacro %}
