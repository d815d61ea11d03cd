{# An e-mail address: exactly one @, a dot inside the domain, no blank and nothing that only a list of addresses,
   a display name or a mailto link has; else NULL. Non-ASCII addresses stay, no dot or +tag is folded. #}
{% macro normalize_email(expression) -%}
    {% set blanks = blank_characters() -%}
    {% set stop = '@"(),:;<>' ~ blanks -%}
    {% set address = "[^" ~ stop ~ "]+@[^." ~ stop ~ "]+(?:[.][^." ~ stop ~ "]+)+" -%}
    {% set plain = '0-9' ~ latin_letters() ~ '-' -%}
    {#- Most addresses are plain ones, which are quickly told and need nothing but lower case. -#}
    case
        when {{ regexp_matches(expression, '^[._+' ~ plain ~ ']+@[' ~ plain ~ ']+(?:[.][' ~ plain ~ ']+)+$') }}
            then {{ lower_case(expression) }}
        else {{ nfc(regexp_first(lower_text(expression), '^[' ~ blanks ~ ']*(' ~ address ~ ')[' ~ blanks ~ ']*$')) }}
    end
{%- endmacro %}
