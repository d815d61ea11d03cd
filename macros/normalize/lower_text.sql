{# The text in lower case, as Python, Java and browsers have it, without NUL: the dotted capital I of Turkish becomes
   an i with a dot above. The rest is the warehouse's lower(); PostgreSQL's knows ASCII only in the locale C. #}
{% macro lower_text(expression) -%}
    lower(replace({{ without_nul(expression) }}, {{ quoted("\u0130") }}, {{ quoted("i\u0307") }}))
{%- endmacro %}
