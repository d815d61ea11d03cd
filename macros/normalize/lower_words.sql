{# Words in lower case, with the form that a Greek sigma has at the end of a word. A blank is added at the end. #}
{% macro lower_words(expression) -%}
    replace(replace({{ lower_text(expression) }} || ' ', 'σ ', 'ς '), 'σ-', 'ς-')
{%- endmacro %}
