{# A text as decimal(28, 10); NULL when unreadable. #}
{% macro as_number(text) -%}
    {{ try_number(text) }}
{%- endmacro %}
