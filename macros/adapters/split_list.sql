{# The parts of a text between commas as a list, without blanks around them and without empty ones; NULL when none. #}
{% macro split_list(expression) -%}
    {%- set blanks = blank_characters() -%}
    {%- set joined = regexp_replace_all(expression, '[' ~ blanks ~ ']*,[' ~ blanks ~ ',]*', ',') -%}
    {%- set clean = "nullif(" ~ regexp_remove(joined, '^[' ~ blanks ~ ',]+|[' ~ blanks ~ ',]+$') ~ ", '')" -%}
    {{ adapter.dispatch('split_list', 'conversions')(clean) }}
{%- endmacro %}

{% macro default__split_list(clean) -%}
    {{ unsupported_adapter('split_list') }}
{%- endmacro %}

{% macro duckdb__split_list(clean) -%}
    string_split({{ clean }}, ',')
{%- endmacro %}

{% macro postgres__split_list(clean) -%}
    string_to_array({{ clean }}, ',')
{%- endmacro %}

{% macro spark__split_list(clean) -%}
    split({{ clean }}, ',')
{%- endmacro %}
