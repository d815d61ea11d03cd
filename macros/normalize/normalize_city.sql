{# A city: as a name (São Paulo: sãopaulo; 29 Palms: 29palms). #}
{% macro normalize_city(expression) -%}
    {{ normalize_name(expression) }}
{%- endmacro %}
