{# The moment that the run calls now, as a timestamp without zone in UTC. #}
{% macro as_of() -%}
    cast('{{ as_of_text("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp)
{%- endmacro %}
