{# A text as a timestamp without zone, in UTC: an offset is honoured, after a blank too (2026-11-20 06:00:00 -0500), a time without one is UTC (the connection's
   zone must be UTC). NULL for what is unreadable, for infinity and for words like 'now'. #}
{% macro try_timestamp(expression) -%}
    {{ adapter.dispatch('try_timestamp', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__try_timestamp(expression) -%}
    {{ unsupported_adapter('try_timestamp') }}
{%- endmacro %}

{% macro duckdb__try_timestamp(expression) -%}
    case when {{ regexp_matches(expression, iso_time_pattern()) }}
        then try_cast(replace(replace({{ expression }}, ' +', '+'), ' -', '-') as timestamptz) at time zone 'UTC' end
{%- endmacro %}

{# A cast that may fail needs PostgreSQL 16: here the form and the day are looked at before. #}
{% macro postgres__try_timestamp(expression) -%}
    {% set time = '([T ]([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?)?' -%}
    {% set zone = '( ?(Z|UTC|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?))?' -%}
    case when {{ regexp_matches(expression, postgres__date_pattern() ~ time ~ zone ~ '$') }}
        then case when {{ postgres__is_day(expression) }}
            then cast({{ expression }} as timestamptz) at time zone 'UTC' end end
{%- endmacro %}

{% macro spark__try_timestamp(expression) -%}
    case when {{ regexp_matches(expression, iso_time_pattern()) }}
        then try_cast(replace(replace({{ expression }}, ' +', '+'), ' -', '-') as timestamp) end
{%- endmacro %}

{# How every time begins: a four-digit year, month and day. Keeps words such as 'epoch' and 'infinity' out. #}
{% macro iso_time_pattern() -%}
    ^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}
{%- endmacro %}
