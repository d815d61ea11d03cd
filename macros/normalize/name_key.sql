{# Lower-case letters, marks and digits of any script, and nothing else: the key by which countries and regions are
   found in their seeds. NULL when nothing is left. #}
{% macro name_key(expression) -%}
    nullif({{ nfc(regexp_remove(lower_words(expression), '[' ~ dropped_characters() ~ ']+')) }}, '')
{%- endmacro %}
