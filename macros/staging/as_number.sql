{# A text as decimal(18, 4); NULL when unreadable. #}
{% macro as_number(text) -%}
    {{ try_number(text) }}
{%- endmacro %}
