{# A text without NUL characters, and without certain characters around it. #}
{% macro trimmed(text, characters) -%}
    {{ adapter.dispatch('trimmed', 'conversions')(text, characters) }}
{%- endmacro %}

{% macro default__trimmed(text, characters) -%}
    {{ unsupported_adapter('trimmed') }}
{%- endmacro %}

{# trim() builds the set of characters anew for each value. Most values begin and end with a printable character of
   ASCII, which is quickly seen. #}
{% macro duckdb__trimmed(text, characters) -%}
    case
        when {{ text }} >= '!' and {{ text }} < chr(127) and {{ text }}[-1] between '!' and '~'
            and not contains({{ text }}, chr(0)) then {{ text }}
        else trim(both '{{ characters }}' from {{ without_nul(text) }})
    end
{%- endmacro %}

{% macro postgres__trimmed(text, characters) -%}
    trim(both '{{ characters }}' from {{ without_nul(text) }})
{%- endmacro %}

{% macro spark__trimmed(text, characters) -%}
    trim(both '{{ characters }}' from {{ without_nul(text) }})
{%- endmacro %}
