{# Words in lower case, with the form that a Greek sigma has at the end of a word, however it was typed. #}
{% macro lower_words(expression) -%}
    {% set undotted = "replace(" ~ without_nul(expression) ~ ", " ~ quoted("\u0130") ~ ", " ~ quoted("i\u0307") ~ ")" -%}
    {% call bind_name('lower_form', lower_case(undotted)) -%} {{ final_sigma('lower_form', 'σ') }} {%- endcall %}
{%- endmacro %}
