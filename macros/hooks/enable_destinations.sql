{# Switches on the destinations that the var enabled_destinations names, in the seed that this is a hook of. #}
{% macro enable_destinations() -%}
    {%- set names = var('enabled_destinations').split() -%}
    {%- if names -%}
        update {{ this }} set is_enabled = true
        {%- if names != ['all'] %} where destination in ('{{ names | join("', '") }}'){% endif %}
    {%- endif -%}
{%- endmacro %}
