{# Every match of a pattern replaced by a text, which must hold no backslash and no dollar sign. #}
{% macro regexp_replace_all(expression, pattern, replacement) -%}
    {{ adapter.dispatch('regexp_replace_all', 'conversions')(expression, pattern, replacement) }}
{%- endmacro %}

{% macro default__regexp_replace_all(expression, pattern, replacement) -%}
    {{ unsupported_adapter('regexp_replace_all') }}
{%- endmacro %}

{% macro duckdb__regexp_replace_all(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, {{ quoted(pattern) }}, {{ quoted(replacement) }}, 'g')
{%- endmacro %}

{% macro postgres__regexp_replace_all(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, {{ quoted(pattern) }}, {{ quoted(replacement) }}, 'g')
{%- endmacro %}

{% macro spark__regexp_replace_all(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, {{ quoted(pattern) }}, {{ quoted(replacement) }})
{%- endmacro %}
