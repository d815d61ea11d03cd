{# A contact of an event as a list: all of its person's where there are several, else its own alone; NULL when none. #}
{% macro own_or_several(column, several) -%}
    coalesce({{ several }}, case when events.{{ column }} is not null then {{ list_of(['events.' ~ column]) }} end)
{%- endmacro %}
