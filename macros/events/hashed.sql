{# A raw identifier normalized and hashed: lower-case hexadecimal SHA-256, or NULL. hashed('email', column) normalizes
   with normalize_email(column); further arguments are passed on. A raw value that already is a SHA-256 passes. #}
{% macro hashed(kind, expression) -%}
    {% set normalizers = {
        'city': normalize_city,
        'country': normalize_country,
        'date_of_birth': normalize_date_of_birth,
        'email': normalize_email,
        'external_id': normalize_external_id,
        'gender': normalize_gender,
        'name': normalize_name,
        'phone': normalize_phone,
        'postal_code': normalize_postal_code,
        'region': normalize_region,
    } -%}
    coalesce({{ sha256_of_source(expression) }}, {{ sha256_hex(normalizers[kind](expression, *varargs)) }})
{%- endmacro %}

{# A raw value that already is a SHA-256, in lower case; else NULL. Only long values are looked at. The hash of the empty
   text, which an export leaves that hashes what it does not have, says nothing. #}
{% macro sha256_of_source(expression) -%}
    {% set blanks = blank_characters() -%}
    case when length({{ expression }}) >= 64 then nullif({{ regexp_first(
        'lower(' ~ expression ~ ')', '^[' ~ blanks ~ ']*([0-9a-f]{64})[' ~ blanks ~ ']*$'
    ) }}, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855') end
{%- endmacro %}
