{# The text in lower case, as Python, Java and browsers have it, without NUL: the dotted capital I of Turkish becomes
   an i with a dot above, a capital sigma at the end of a word takes the form that it has there. Both are done here,
   because warehouses differ: PostgreSQL knows the two with ICU and neither without, DuckDB neither.
   tests/unit/test_unicode.py states each difference. #}
{% macro lower_text(expression) -%}
    case
        when not {{ regexp_matches(expression, '[^ -~]') }} then {{ lower_case(expression) }}
        else {{ lower_case("replace(" ~ final_sigma(without_nul(expression), 'Σ') ~ ", " ~ quoted("\u0130") ~ ", "
            ~ quoted("i\u0307") ~ ")") }}
    end
{%- endmacro %}
