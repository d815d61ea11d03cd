{# The shop's own id of a person: text first, nothing more, so that it is the same in every channel. #}
{% macro normalize_external_id(expression) -%}
    {{ normalize_text(expression) }}
{%- endmacro %}
