{# Every column of a raw table's contract as text, or as it is where its type needs no reading; NULL for an optional
   column that is not there. #}
{% macro raw_texts(table) -%}
    {%- set contract = raw_contract()[table] -%}
    {%- set selected = [] -%}
    {%- for column in contract['required'] | list + contract['optional'] | list -%}
        {%- set expression = raw_name(table, column) if has_raw_column(table, column) else 'null' -%}
        {%- set text = expression if raw_value_as_it_is(table, column) else as_text(expression) -%}
        {%- if contract['required'].get(column, contract['optional'].get(column)) == 'text' -%}
            {%- set text = whole_text(table, column, text) -%}
        {%- endif -%}
        {%- do selected.append(text ~ ' as ' ~ column) -%}
    {%- endfor -%}
    {{ selected | join(',\n        ') }}
{%- endmacro %}

{# The column's name as the warehouse spells it, quoted; in a unit test, which has no raw table, the name itself. #}
{% macro raw_name(table, column) -%}
    {%- set columns = raw_columns(table) if execute else none -%}
    {{- (columns or {}).get(column, {}).get('name', column) -}}
{%- endmacro %}

{# An id or a code that a tool has stored as a float, as integers with gaps often are, is 7 and not 7.0: else it would
   miss the same id in another table, and with it a denied consent. #}
{% macro whole_text(table, column, text) -%}
    {%- set columns = raw_columns(table) if execute else none -%}
    {%- set whole = regexp_remove(text, '[.]0+$') if (columns or {}).get(column, {}).get('is_float') else text -%}
    {{- somebody(whole) if column in ('customer_id', 'visitor_id') else whole -}}
{%- endmacro %}

{# The id of a person or a device, NULL for what a program writes where there is none: all guests would be one. WordPress
   has 0 for everybody who is not logged in. #}
{% macro somebody(id) -%}
    case when lower({{ id }}) not in ('0', 'guest', 'none', 'null', 'nan', 'undefined') then {{ id }} end
{%- endmacro %}
