{# Columns of one table as a select list, for those that pass as they are. #}
{% macro selected(table, columns) -%}
    {{ table }}.{{ columns | join(',\n        ' ~ table ~ '.') }}
{%- endmacro %}
