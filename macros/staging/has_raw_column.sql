{# Whether a raw table, or a column of it, is there. The only macro that asks, so that a unit test can override it. #}
{% macro has_raw_column(table, column=none) %}
    {% if not execute %}
        {{ return(true) }}
    {% endif %}
    {% set columns = raw_columns(table) %}
    {{ return(columns is not none and (column is none or column in columns)) }}
{% endmacro %}
