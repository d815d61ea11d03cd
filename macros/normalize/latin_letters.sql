{# Latin letters that need nothing but lower case, as the inside of a regular expression's class: A-Z and those with
   marks in Unicode's first blocks, without the dotted capital I of Turkish. #}
{% macro latin_letters() -%}
    {{ "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u012f\u0131-\u024f" }}
{%- endmacro %}
