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

{# A cast that may fail needs PostgreSQL 16: here the day is looked at before. #}
{% macro postgres__try_date(expression) -%}
    case when {{ regexp_matches(expression, postgres__date_pattern() ~ '$') }}
        then case when {{ postgres__is_day(expression) }} then cast({{ expression }} as date) end end
{%- endmacro %}

{# A year from 0001, a month, and a day that some month has. #}
{% macro postgres__date_pattern() -%}
    ^([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(0?[1-9]|1[0-2])-(0?[1-9]|[12][0-9]|3[01])
{%- endmacro %}

{# Whether the month at the beginning of a text has the day; the text must match the pattern. #}
{% macro postgres__is_day(expression) -%}
    {% set year, month = "cast(split_part(" ~ expression ~ ", '-', 1) as integer)", "cast(split_part(" ~ expression ~ ", '-', 2) as integer)" -%}
    {% set day = "cast(" ~ regexp_first(expression, '^[0-9]+-[0-9]+-([0-9]+)') ~ " as integer)" -%}
    {{ day }} <= extract(day from make_date({{ year }}, {{ month }}, 1) + interval '1 month' - interval '1 day')
{%- endmacro %}

{% macro spark__try_date(expression) -%}
    try_cast({{ expression }} as date)
{%- endmacro %}
