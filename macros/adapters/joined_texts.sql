{# An aggregate: the texts of a group, each once, in alphabetical order, with a blank between them. #}
{% macro joined_texts(expression) -%}
    {{ adapter.dispatch('joined_texts', 'conversions')(expression) }}
{%- endmacro %}

{% macro default__joined_texts(expression) -%}
    {{ unsupported_adapter('joined_texts') }}
{%- endmacro %}

{% macro duckdb__joined_texts(expression) -%}
    array_to_string(list_sort(list(distinct {{ expression }})), ' ')
{%- endmacro %}

{% macro postgres__joined_texts(expression) -%}
    string_agg(distinct {{ expression }}, ' ' order by {{ expression }})
{%- endmacro %}

{% macro spark__joined_texts(expression) -%}
    array_join(array_sort(collect_set({{ expression }})), ' ')
{%- endmacro %}
