{# The text with Arabic-Indic, Persian, Devanagari and fullwidth digits (and the fullwidth plus sign) as ASCII. #}
{% macro ascii_digits(expression) -%}
    case when {{ regexp_matches(expression, "[\u0660-\uff19]") }} then translate(
        {{ expression }}, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९０１２３４５６７８９＋',
        '0123456789012345678901234567890123456789+'
    ) else {{ expression }} end
{%- endmacro %}
