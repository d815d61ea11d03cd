{# Blanks of every kind, as the inside of a regular expression's class: control characters, spaces, no-break and
   zero-width characters, the byte order mark, fillers. #}
{% macro blank_characters() -%}
    {{ "\u0001- \u007f-\u00a0\u00ad\u115f\u1160\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f" -}}
    {{ "\u3000\u3164\ufeff\uffa0" }}
{%- endmacro %}
