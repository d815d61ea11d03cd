{# A postal code without blanks and dashes; in the United States its first five digits (fewer: NULL).
   A fraction of zeros is what a float column left behind. #}
{% macro normalize_postal_code(expression, country_code) -%}
    {% set code = regexp_remove(lower_text(ascii_digits(expression)), '[.]0$|[' ~ dropped_characters() ~ ']+') -%}
    {% call bind_name('plain_code', "nullif(" ~ nfc(code) ~ ", '')") -%}
        case
            when lower({{ country_code }}) = 'us' then {{ regexp_first('plain_code', '^([0-9]{5})') }}
            else plain_code
        end
    {%- endcall %}
{%- endmacro %}
