{# What names of events have in common that differ in case, blanks, underscores, dashes and dots alone. #}
{% macro event_kind(expression) -%}
    lower({{ regexp_remove(expression, '[' ~ blank_characters() ~ '._-]') }})
{%- endmacro %}
