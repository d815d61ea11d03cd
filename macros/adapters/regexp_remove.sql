{# The text without any match of a pattern. NULL in, NULL out. #}
{% macro regexp_remove(expression, pattern) -%}
    {{ regexp_replace_all(expression, pattern, '') }}
{%- endmacro %}
