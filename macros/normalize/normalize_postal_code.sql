{# A postal code without blanks and dashes; in the United States its first five digits (fewer: NULL).
   A fraction of zeros is what a float column left behind. #}
{% macro normalize_postal_code(expression, country_code) -%}
    {% call bind_name('postal_code', "nullif(" ~ regexp_remove(
        'lower(' ~ nfc(ascii_digits(expression)) ~ ')', '[.]0$|[' ~ dropped_characters() ~ ']+'
    ) ~ ", '')") -%}
        case when lower({{ country_code }}) = 'us' then {{ regexp_first('postal_code', '^([0-9]{5})') }} else postal_code end
    {%- endcall %}
{%- endmacro %}
