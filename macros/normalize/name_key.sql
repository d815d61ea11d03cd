{# Lower-case letters, marks and digits of any script, and nothing else: the key by which countries and regions are
   found in their seeds. NULL when nothing is left. #}
{% macro name_key(expression) -%}
    nullif({{ regexp_remove('lower(' ~ nfc(expression) ~ ')', '[' ~ dropped_characters() ~ ']+') }}, '')
{%- endmacro %}
