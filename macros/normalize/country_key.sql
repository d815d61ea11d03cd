{# The key by which a country's name or code is found in seeds/country_names.csv. #}
{% macro country_key(expression) -%}
    {{ name_key(expression) }}
{%- endmacro %}
