{# A variable that is true or false, as SQL. Anything else stops the build: the text 'false' would count as a yes. #}
{% macro switched_on(name) -%}
    {%- set value = var(name) -%}
    {%- if execute and value is not boolean -%}
        {{ exceptions.raise_compiler_error(
            "The dbt var " ~ name ~ " is '" ~ value ~ "'. It can be one of: true, false."
        ) }}
    {%- endif -%}
    {{ 'true' if value else 'false' }}
{%- endmacro %}
