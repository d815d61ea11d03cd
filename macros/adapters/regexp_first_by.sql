{# What capture group 1 of a pattern that stands in a column holds in its first match; NULL when nothing matches, or
   nothing is in the group. The pattern is one that RE2, PostgreSQL and Java read alike. #}
{% macro regexp_first_by(expression, pattern) -%}
    {{ adapter.dispatch('regexp_first_by', 'conversions')(expression, pattern) }}
{%- endmacro %}

{% macro default__regexp_first_by(expression, pattern) -%}
    {{ unsupported_adapter('regexp_first_by') }}
{%- endmacro %}

{# regexp_extract gives an empty text when nothing matches. #}
{% macro duckdb__regexp_first_by(expression, pattern) -%}
    {{ not_empty('regexp_extract(' ~ expression ~ ', ' ~ pattern ~ ', 1)') }}
{%- endmacro %}

{% macro postgres__regexp_first_by(expression, pattern) -%}
    nullif((regexp_match({{ expression }}, {{ pattern }}))[1], '')
{%- endmacro %}

{% macro spark__regexp_first_by(expression, pattern) -%}
    nullif(regexp_extract({{ expression }}, {{ pattern }}, 1), '')
{%- endmacro %}
