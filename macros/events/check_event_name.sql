{# Stops the build when an event's name, an SQL expression, is a literal that misspells a standard event. #}
{% macro check_event_name(expression) %}
    {%- set name = expression | string | trim -%}
    {%- if execute and name.startswith("'") and name.endswith("'") and misspelled_event(name[1:-1]) -%}
        {{ exceptions.raise_compiler_error(misspelling(name[1:-1], model.original_file_path)) }}
    {%- endif -%}
{% endmacro %}
