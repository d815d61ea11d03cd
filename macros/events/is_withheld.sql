{# Whether a policy withholds a column: withheld_fields holds names with a blank before and after each, or is NULL. #}
{% macro is_withheld(name, withheld_fields) -%}
    coalesce({{ withheld_fields }} like '% {{ name }} %', false)
{%- endmacro %}
