{# Lower-case letters, marks and digits of any script, and nothing else: the key by which countries and regions are
   found in their seeds. NULL when nothing is left. #}
{% macro name_key(expression) -%}
    {#- Latin letters and digits need nothing but lower case. -#}
    {% set form -%}
    case
        when not {{ regexp_matches(expression, '[^0-9' ~ latin_letters() ~ ']') }} then {{ lower_case(expression) }}
        else {{ nfc(regexp_remove(lower_words(expression), '[' ~ dropped_characters() ~ ']+')) }}
    end
    {%- endset -%}
    {{ not_empty(form) }}
{%- endmacro %}
