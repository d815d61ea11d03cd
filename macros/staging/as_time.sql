{# A text as a timestamp without zone, in UTC; NULL when unreadable. #}
{% macro as_time(text) -%}
    {{ try_timestamp(text) }}
{%- endmacro %}
