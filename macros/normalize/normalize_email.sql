{# An e-mail address: exactly one @, a dot inside the domain, no blank and nothing that only a list of addresses,
   a display name or a mailto link has; else NULL. Non-ASCII addresses stay, no dot or +tag is folded. #}
{% macro normalize_email(expression) -%}
    {% set blanks = blank_characters() -%}
    {% set stop = '@"(),:;<>' ~ blanks -%}
    {{ nfc(regexp_first(
        lower_text(expression),
        '^[' ~ blanks ~ ']*([^' ~ stop ~ ']+@[^.' ~ stop ~ ']+(?:[.][^.' ~ stop ~ ']+)+)[' ~ blanks ~ ']*$'
    )) }}
{%- endmacro %}
