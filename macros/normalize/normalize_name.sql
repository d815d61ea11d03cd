{# A first or last name: letters, marks and digits of any script, without punctuation, blanks and emoji
   (O'Brien: obrien). A name without any letter is NULL. #}
{% macro normalize_name(expression) -%}
    {% set dropped = dropped_characters() -%}
    {#- Most names are Latin letters alone. -#}
    {% set form -%}
    case
        when not {{ regexp_matches(expression, '[^' ~ latin_letters() ~ ']') }} then {{ lower_case(expression) }}
        else {{ nfc(regexp_remove(lower_words(expression), '^[0-9' ~ dropped ~ ']+$|[' ~ dropped ~ ']+')) }}
    end
    {%- endset -%}
    {{ not_empty(form) }}
{%- endmacro %}
