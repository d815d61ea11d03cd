{# The select list of an event's model: every column of event_columns(), from mappings of columns to expressions;
   what none of them names is a NULL of its kind. Of two mappings that name a column the later one counts. A name that
   is no such column stops the build, and so does an event's name that misspells a standard one. Without a row_key the
   natural key takes its place.
   event_record({'event_name': "'Lead'", …}, person_columns('leads')) #}
{% macro event_record() -%}
    {%- set given = {} -%}
    {%- for mapping in varargs -%} {%- do given.update(mapping) -%} {%- endfor -%}
    {%- set unknown = given | reject('in', event_columns()) | list -%}
    {%- if unknown -%}
        {{ exceptions.raise_compiler_error(
            "event_record() does not know " ~ unknown | join(', ') ~ ". The columns of an event are listed in"
            ~ " macros/events/event_columns.sql."
        ) }}
    {%- endif -%}
    {%- do check_event_name(given['event_name']) -%}
    {%- do given.setdefault('row_key', given['natural_key']) -%}
    {%- set selected = [] -%}
    {%- for column, kind in event_columns().items() -%}
        {%- do selected.append(given.get(column, null_of(kind)) ~ ' as ' ~ column) -%}
    {%- endfor -%}
    {{ selected | join(',\n        ') }}
{%- endmacro %}

{# The columns that describe a person, for event_record. #}
{% macro person_columns(table) %}
    {{ return(columns_of(table, [
        'customer_id', 'email', 'phone', 'first_name', 'last_name', 'city', 'region', 'postal_code', 'country',
        'date_of_birth', 'gender',
    ])) }}
{% endmacro %}

{# The columns that a browser gave, for event_record. #}
{% macro browser_columns(table) %}
    {{ return(columns_of(table, ['session_id', 'browser_event_id', 'client_ip', 'user_agent', 'landing_url'])) }}
{% endmacro %}

{# Columns of one table under their own names, for event_record. #}
{% macro columns_of(table, columns) %}
    {% set mapping = {} %}
    {% for column in columns %}{% do mapping.update({column: table ~ '.' ~ column}) %}{% endfor %}
    {{ return(mapping) }}
{% endmacro %}
