{# Text first: lower case, blanks of every kind trimmed, form C; an empty text is NULL. #}
{% macro normalize_text(expression) -%}
    {% set blanks = blank_characters() -%}
    {#- Printable ASCII without a blank needs nothing but lower case. -#}
    {% set form -%}
    case
        when not {{ regexp_matches(expression, '[^!-~]') }} then {{ lower_case(expression) }}
        else {{ nfc(regexp_remove(lower_text(expression), '^[' ~ blanks ~ ']+|[' ~ blanks ~ ']+$')) }}
    end
    {%- endset -%}
    {{ not_empty(form) }}
{%- endmacro %}
