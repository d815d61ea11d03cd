{# A phone number in E.164: what normalize_phone makes, behind a +. Its arguments are those of normalize_phone. #}
{% macro normalize_phone_e164(expression) -%}
    '+' || {{ normalize_phone(expression, *varargs) }}
{%- endmacro %}
