{# Rows as columns: an aggregate for each name, of the value that stands beside it. #}
{% macro pivoted(names, name_column, value_column) -%}
    {%- set found = [] -%}
    {%- for name in names -%}
        {%- do found.append(
            'max(case when ' ~ name_column ~ " = '" ~ name ~ "' then " ~ value_column ~ ' end) as ' ~ name
        ) -%}
    {%- endfor -%}
    {{ found | join(',\n        ') }}
{%- endmacro %}
