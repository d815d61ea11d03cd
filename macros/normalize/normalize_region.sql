{# A state, province or region: the two-letter code where seeds/regions.csv has one (United States, Canada), else
   the whole name as a city, in which digits alone may stand (75 is Paris).
   region_code comes from a join on country_code and name_key. #}
{% macro normalize_region(expression, region_code) -%}
    coalesce(lower({{ region_code }}), {{ name_key(expression) }})
{%- endmacro %}
