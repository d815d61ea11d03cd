{# Every match of a pattern that stands between two others replaced by a text, as in regexp_replace_all; what stands
   around it stays. No pattern may have a capturing group. #}
{% macro regexp_replace_between(expression, before, pattern, after, replacement) -%}
    {{ adapter.dispatch('regexp_replace_between', 'conversions')(expression, before, pattern, after, replacement) }}
{%- endmacro %}

{% macro default__regexp_replace_between(expression, before, pattern, after, replacement) -%}
    {{ unsupported_adapter('regexp_replace_between') }}
{%- endmacro %}

{% macro duckdb__regexp_replace_between(expression, before, pattern, after, replacement) -%}
    {{ regexp_replace_all(expression, '(' ~ before ~ ')' ~ pattern ~ '(' ~ after ~ ')', '\\1' ~ replacement ~ '\\2') }}
{%- endmacro %}

{% macro postgres__regexp_replace_between(expression, before, pattern, after, replacement) -%}
    {{ regexp_replace_all(expression, '(' ~ before ~ ')' ~ pattern ~ '(' ~ after ~ ')', '\\1' ~ replacement ~ '\\2') }}
{%- endmacro %}

{% macro spark__regexp_replace_between(expression, before, pattern, after, replacement) -%}
    {{ regexp_replace_all(expression, '(' ~ before ~ ')' ~ pattern ~ '(' ~ after ~ ')', '$1' ~ replacement ~ '$2') }}
{%- endmacro %}
