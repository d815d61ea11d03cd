{# A postal code without blanks and dashes; in the United States its first five digits (fewer: NULL).
   A fraction of zeros is what a float column left behind. #}
{% macro normalize_postal_code(expression, country_code) -%}
    {% set code = regexp_remove(lower_text(ascii_digits(expression)), '[.]0$|[' ~ dropped_characters() ~ ']+') -%}
    {% set plain = "case when not " ~ regexp_matches(expression, '[^A-Za-z0-9 -]') ~ " then "
        ~ lower_case("replace(replace(" ~ expression ~ ", ' ', ''), '-', '')") ~ " else " ~ nfc(code) ~ " end" -%}
    {% call bind_name('plain_code', not_empty(plain)) -%}
        case
            when lower({{ country_code }}) = 'us' then {{ regexp_first('plain_code', '^([0-9]{5})') }}
            else plain_code
        end
    {%- endcall %}
{%- endmacro %}
