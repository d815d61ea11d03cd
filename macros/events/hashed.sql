{# A raw identifier normalized and hashed: lower-case hexadecimal SHA-256, or NULL. hashed('email', column) normalizes
   with normalize_email(column); further arguments are passed on. A raw value that already is a SHA-256 passes. #}
{% macro hashed(kind, expression) -%}
    {% set blanks = blank_characters() -%}
    {% set normalized = context['normalize_' ~ kind](expression, *varargs) -%}
    coalesce(
        case when length({{ expression }}) >= 64 then {{ regexp_first(
            'lower(' ~ expression ~ ')', '^[' ~ blanks ~ ']*([0-9a-f]{64})[' ~ blanks ~ ']*$'
        ) }} end,
        {{ sha256_hex(normalized) }}
    )
{%- endmacro %}
