{# Stops the model with one message that names every required column which its raw table lacks. #}
{% macro require_raw_columns(table) -%}
    {% set contract = raw_contract()[table] %}
    {% if not has_raw_column(table) %}
        {% if not contract.get('is_optional') %}
            {{ exceptions.raise_compiler_error(
                "The raw table " ~ source('raw', table) ~ " is missing. Load it (an empty table will do), or set the dbt"
                ~ " var raw_schema to the schema that has it. Its required columns: "
                ~ contract['required'] | join(', ') ~ "."
            ) }}
        {% endif %}
        {{ return('') }}
    {% endif %}
    {% set missing = [] %}
    {% for column in contract['required'] if not has_raw_column(table, column) %}
        {% do missing.append(column) %}
    {% endfor %}
    {% if missing %}
        {{ exceptions.raise_compiler_error(
            "The raw table " ~ source('raw', table) ~ " lacks required columns: " ~ missing | join(', ')
            ~ ". Add them to the table, or put a view that has them in its place."
        ) }}
    {% endif %}
{%- endmacro %}
