{# A text as a boolean, from the usual words and figures; NULL when unreadable. #}
{% macro as_bool(text) -%}
    case
        when lower({{ text }}) in ('true', 't', 'yes', 'y', 'on', '1', '1.0') then true
        when lower({{ text }}) in ('false', 'f', 'no', 'n', 'off', '0', '0.0') then false
    end
{%- endmacro %}
