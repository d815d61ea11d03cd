{# Every column of a raw table's contract as text; NULL for an optional column that is not there. #}
{% macro raw_texts(table) -%}
    {%- set contract = raw_contract()[table] -%}
    {%- set selected = [] -%}
    {%- for column in contract['required'] | list + contract['optional'] | list -%}
        {%- set expression = raw_name(table, column) if has_raw_column(table, column) else 'null' -%}
        {%- do selected.append(as_text(expression) ~ ' as ' ~ column) -%}
    {%- endfor -%}
    {{ selected | join(',\n        ') }}
{%- endmacro %}

{# The column's name as the warehouse spells it, quoted; in a unit test, which has no raw table, the name itself. #}
{% macro raw_name(table, column) -%}
    {%- set columns = raw_columns(table) if execute else none -%}
    {{- (columns or {}).get(column, column) -}}
{%- endmacro %}
