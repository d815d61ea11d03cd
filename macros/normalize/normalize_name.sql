{# A first or last name: letters, marks and digits of any script, without punctuation, blanks and emoji
   (O'Brien: obrien). A name without any letter is NULL. #}
{% macro normalize_name(expression) -%}
    {% set dropped = dropped_characters() -%}
    nullif({{ nfc(regexp_remove(lower_words(expression), '^[0-9' ~ dropped ~ ']+$|[' ~ dropped ~ ']+')) }}, '')
{%- endmacro %}
