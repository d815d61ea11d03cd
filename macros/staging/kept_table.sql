{# A table of the uploader's to select from; one without rows, with columns of these kinds, where there is none yet. #}
{% macro kept_table(table, columns) -%}
    {%- if has_kept_table(table) -%}
        {{ source('kept', table) }}
    {%- else -%}
        (
            select {% for column, kind in columns.items() -%}
                {{ null_of(kind) }} as {{ column }}{{ ', ' if not loop.last }}
            {%- endfor %}
            where 1 = 0
        ) as {{ table }}
    {%- endif -%}
{%- endmacro %}

{# Whether the table is there; a unit test has rows in its place, and no schema. #}
{% macro has_kept_table(table) %}
    {% set relation = source('kept', table) %}
    {{ return(not execute or not relation.schema or load_relation(relation) is not none) }}
{% endmacro %}
