{# A URL without its query and fragment, which can hold personal data. NULL for a text with blanks, quotes or angle
   brackets in it, which is no URL. #}
{% macro url_without_query(url) -%}
    {{ regexp_first(url, '^([^?#"<>' ~ blank_characters() ~ ']+)(?:[?#]|$)') }}
{%- endmacro %}
