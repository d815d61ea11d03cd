{# The names of a row's values that are there but cannot be read as their kind, each between blanks: ' paid_at total '.
   An empty text when all can be read. Select it from the texts of raw_texts(). #}
{% macro unreadable_columns(table) -%}
    {%- set names = [] -%}
    {%- for column in typed_raw_columns(table) -%}
        {%- do names.append(
            "case when " ~ column ~ " is not null and " ~ raw_value(table, column) ~ " is null then ' " ~ column
            ~ " ' else '' end"
        ) -%}
    {%- endfor -%}
    {{ names | join('\n        || ') }}
{%- endmacro %}

{# The columns of a raw table that are read as something else than text, with their kinds. #}
{% macro typed_raw_columns(table) %}
    {% set contract = raw_contract()[table] %}
    {% set columns = {} %}
    {% for kinds in [contract['required'], contract['optional']] %}
        {% for column, kind in kinds.items() if kind != 'text' %}
            {% do columns.update({column: kind}) %}
        {% endfor %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}
