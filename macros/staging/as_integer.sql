{# A text as a whole number; NULL when unreadable. #}
{% macro as_integer(text) -%}
    {{ try_integer(text) }}
{%- endmacro %}
