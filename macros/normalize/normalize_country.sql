{# A country: ISO 3166-1 alpha-2 in lower case. country_code comes from a join of country_key(expression) on
   seeds/country_names.csv; a name that is not there is NULL. #}
{% macro normalize_country(expression, country_code) -%}
    lower({{ country_code }})
{%- endmacro %}
