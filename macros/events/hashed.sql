{# A raw identifier normalized and hashed: lower-case hexadecimal SHA-256, or NULL. hashed('email', column) normalizes
   with normalize_email(column); further arguments are passed on. A raw value that already is a SHA-256 passes, but not
   as phone_e164: it is taken for the hash of the digits, and nobody can tell the hash of the same number with a +.
   The hash of the empty text, which an export leaves that hashes what it does not have, says nothing: NULL. #}
{% macro hashed(kind, expression) -%}
    {% set normalizers = {
        'city': normalize_city,
        'country': normalize_country,
        'date_of_birth': normalize_date_of_birth,
        'email': normalize_email,
        'email_gmail': normalize_email_gmail,
        'email_microsoft': normalize_email_microsoft,
        'email_reddit': normalize_email_reddit,
        'external_id': normalize_external_id,
        'gender': normalize_gender,
        'name': normalize_name,
        'phone': normalize_phone,
        'phone_e164': normalize_phone_e164,
        'postal_code': normalize_postal_code,
        'region': normalize_region,
    } -%}
    {% set form = normalizers[kind](expression, *varargs) -%}
    {% if kind == 'phone_e164' -%}
        case when {{ sha256_of_source(expression) }} is null then {{ sha256_hex(form) }} end
    {%- else -%}
        {{ hashed_form(expression, form) }}
    {%- endif %}
{%- endmacro %}

{# The same of a raw identifier whose normal form is known already, for several hashes that have it in common. #}
{% macro hashed_form(expression, form) -%}
    case
        when {{ sha256_of_source(expression) }} is null then {{ sha256_hex(form) }}
        else nullif(
            {{ regexp_remove('lower(' ~ expression ~ ')', '[^0-9a-f]+') }},
            'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
        )
    end
{%- endmacro %}

{# A raw value that already is a SHA-256, in lower case; else NULL. Only long values are looked at. #}
{% macro sha256_of_source(expression) -%}
    {% set blanks = blank_characters() -%}
    case when length({{ expression }}) >= 64 then {{ regexp_first(
        'lower(' ~ expression ~ ')', '^[' ~ blanks ~ ']*([0-9a-f]{64})[' ~ blanks ~ ']*$'
    ) }} end
{%- endmacro %}
