{# A list of the values of some expressions. #}
{% macro list_of(expressions) -%}
    {{ adapter.dispatch('list_of', 'conversions')(expressions) }}
{%- endmacro %}

{% macro default__list_of(expressions) -%}
    {{ unsupported_adapter('list_of') }}
{%- endmacro %}

{% macro duckdb__list_of(expressions) -%}
    list_value({{ expressions | join(', ') }})
{%- endmacro %}

{% macro postgres__list_of(expressions) -%}
    array[{{ expressions | join(', ') }}]
{%- endmacro %}

{% macro spark__list_of(expressions) -%}
    array({{ expressions | join(', ') }})
{%- endmacro %}
