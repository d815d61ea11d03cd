{# The item of a list at a place, counted from 1; NULL when the list is NULL or shorter. #}
{% macro list_item(list, place) -%}
    {{ adapter.dispatch('list_item', 'conversions')(list, place) }}
{%- endmacro %}

{% macro default__list_item(list, place) -%}
    {{ unsupported_adapter('list_item') }}
{%- endmacro %}

{% macro duckdb__list_item(list, place) -%}
    list_extract({{ list }}, {{ place }})
{%- endmacro %}

{% macro postgres__list_item(list, place) -%}
    ({{ list }})[{{ place }}]
{%- endmacro %}

{% macro spark__list_item(list, place) -%}
    get({{ list }}, {{ place - 1 }})
{%- endmacro %}
