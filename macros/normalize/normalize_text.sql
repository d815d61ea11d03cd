{# Text first: form C, lower case, blanks of every kind trimmed; an empty text is NULL. #}
{% macro normalize_text(expression) -%}
    {% set blanks = blank_characters() -%}
    nullif({{ regexp_remove('lower(' ~ nfc(expression) ~ ')', '^[' ~ blanks ~ ']+|[' ~ blanks ~ ']+$') }}, '')
{%- endmacro %}
