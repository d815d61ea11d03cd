{# Everything lives in the profile's schema: models, seeds, stored test failures, and what the uploader publishes. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema }}
{%- endmacro %}
