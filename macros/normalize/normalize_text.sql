{# Text first: lower case, blanks of every kind trimmed, form C; an empty text is NULL. #}
{% macro normalize_text(expression) -%}
    {% set blanks = blank_characters() -%}
    nullif({{ nfc(regexp_remove(lower_text(expression), '^[' ~ blanks ~ ']+|[' ~ blanks ~ ']+$')) }}, '')
{%- endmacro %}
