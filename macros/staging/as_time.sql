{# A text as a timestamp without zone, in UTC; NULL when unreadable, or when it is no time that a shop can have seen:
   placeholders such as 0001-01-01 and 9999-12-31 are outside of what many tools can hold. #}
{% macro as_time(text) -%}
    case when {{ text }} >= '1970' and {{ text }} < '2200' then {{ try_timestamp(text) }} end
{%- endmacro %}
