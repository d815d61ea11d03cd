{# The name under which a renewal is sent: the variable renewal_event_name. A name that is a standard event's in another
   spelling stops the build. #}
{% macro renewal_event_name() -%}
    {%- set name = (var('renewal_event_name') or '') | string | trim -%}
    {%- if execute and (not name or "'" in name) -%}
        {{ exceptions.raise_compiler_error(
            "The dbt var renewal_event_name is '" ~ name ~ "'. It must be the name of an event, such as Renewal or"
            ~ " Purchase, without quotes."
        ) }}
    {%- endif -%}
    {%- if execute and misspelled_event(name) -%}
        {{ exceptions.raise_compiler_error(misspelling(name, 'the dbt var renewal_event_name')) }}
    {%- endif -%}
    {{ return(name) }}
{%- endmacro %}
