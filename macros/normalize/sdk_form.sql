{# What Meta's Python SDK (facebook-business 26.0.3) would hash of a raw identifier, for the conformance report alone:
   nothing that is sent depends on it. NULL where it raises an error, '' where it hashes the empty text; 32 or 64
   hexadecimal digits it sends as they are. An external_id it sends unhashed and unchanged. Written from its module
   adobjects/serverside/normalize.py (read 2026-11-21); a test compares the two. A NUL is taken out before. #}
{% macro sdk_form(kind, expression) -%}
    {% if kind == 'external_id' -%}
        {{ expression }}
    {%- else -%}
        {% set forms = {
            'city': sdk_place,
            'country': sdk_country,
            'email': sdk_email,
            'phone': sdk_phone,
            'postal_code': sdk_postal_code,
            'region': sdk_place,
        } -%}
        {% call bind_name('sdk_text', sdk_lower(expression)) -%}
            {% if kind in forms -%}
                case
                    when {{ regexp_matches('sdk_text', '^([0-9a-f]{32}|[0-9a-f]{64})$') }} then sdk_text
                    else {{ forms[kind]('sdk_text') }}
                end
            {%- else -%}
                sdk_text
            {%- endif %}
        {%- endcall %}
    {%- endif %}
{%- endmacro %}

{# Lower case, trimmed of what Python calls white space. #}
{% macro sdk_lower(expression) -%}
    {{ regexp_remove(lower_text(expression), '^[' ~ sdk_blanks() ~ ']+|[' ~ sdk_blanks() ~ ']+$') }}
{%- endmacro %}

{# Python's white space, as the inside of a regular expression's class: zero-width characters are not among it. #}
{% macro sdk_blanks() -%}
    {{ "\t-\r\x1c- \x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000" }}
{%- endmacro %}

{# An @ and, behind it, a point, each with something around it in the first line; else an error. #}
{% macro sdk_email(text) -%}
    case when {{ regexp_matches(text, "^[^\n]+@[^\n]+[.][^\n]+") }} then {{ text }} end
{%- endmacro %}

{# Without blanks, dashes, brackets, and up to two times a + and two zeros; seven digits or more, of any script. #}
{% macro sdk_phone(text) -%}
    {% set bare = regexp_remove(text, '[' ~ sdk_blanks() ~ '()-]+') -%}
    {% set number = regexp_remove(bare, '^[+]?0{0,2}[+]?0{0,2}') -%}
    {{ regexp_first(number, '^([' ~ sdk_digits() | replace('0-9', '1-9', 1) ~ '][' ~ sdk_digits() ~ ']{6,})$') }}
{%- endmacro %}

{# A city or a region without digits, blanks, points, dashes and brackets. #}
{% macro sdk_place(text) -%}
    {{ regexp_remove(text, '[0-9.()' ~ sdk_blanks() ~ '-]+') }}
{%- endmacro %}

{# A postal code without blanks, up to its first dash. #}
{% macro sdk_postal_code(text) -%}
    split_part({{ regexp_remove(text, '[' ~ sdk_blanks() ~ ']+') }}, '-', 1)
{%- endmacro %}

{# The letters a-z, if they are an alpha-2 code of ISO 3166-1; else an error. #}
{% macro sdk_country(text) -%}
    {% set codes = (
        'a[defgilmoqrstuwxz]|b[abdefghijlmnoqrstvwyz]|c[acdfghiklmnoruvwxyz]|d[ejkmoz]|e[ceghrst]' ~
        '|f[ijkmor]|g[abdefghilmnpqrstuwy]|h[kmnrtu]|i[delmnoqrst]|j[emop]|k[eghimnprwyz]|l[abcikrstuvy]' ~
        '|m[acdefghklmnopqrstuvwxyz]|n[acefgilopruz]|o[m]|p[aefghklmnrstwy]|q[a]|r[eosuw]' ~
        '|s[abcdeghijklmnorstvxyz]|t[cdfghjklmnortvwz]|u[agmsyz]|v[aceginu]|w[fs]|y[et]|z[amw]'
    ) -%}
    {{ regexp_first(regexp_remove(text, '[^a-z]+'), '^(' ~ codes ~ ')$') }}
{%- endmacro %}

{# The decimal digits of every script, ASCII first, as the inside of a regular expression's class. #}
{% macro sdk_digits() -%}
    {{ "0-9\u0660-\u0669\u06f0-\u06f9\u07c0-\u07c9\u0966-\u096f\u09e6-\u09ef\u0a66-\u0a6f\u0ae6-\u0aef" -}}
    {{ "\u0b66-\u0b6f\u0be6-\u0bef\u0c66-\u0c6f\u0ce6-\u0cef\u0d66-\u0d6f\u0de6-\u0def\u0e50-\u0e59" -}}
    {{ "\u0ed0-\u0ed9\u0f20-\u0f29\u1040-\u1049\u1090-\u1099\u17e0-\u17e9\u1810-\u1819\u1946-\u194f" -}}
    {{ "\u19d0-\u19d9\u1a80-\u1a89\u1a90-\u1a99\u1b50-\u1b59\u1bb0-\u1bb9\u1c40-\u1c49\u1c50-\u1c59" -}}
    {{ "\ua620-\ua629\ua8d0-\ua8d9\ua900-\ua909\ua9d0-\ua9d9\ua9f0-\ua9f9\uaa50-\uaa59\uabf0-\uabf9" -}}
    {{ "\uff10-\uff19\U000104a0-\U000104a9\U00010d30-\U00010d39\U00011066-\U0001106f\U000110f0-\U000110f9" -}}
    {{ "\U00011136-\U0001113f\U000111d0-\U000111d9\U000112f0-\U000112f9\U00011450-\U00011459" -}}
    {{ "\U000114d0-\U000114d9\U00011650-\U00011659\U000116c0-\U000116c9\U00011730-\U00011739" -}}
    {{ "\U000118e0-\U000118e9\U00011950-\U00011959\U00011c50-\U00011c59\U00011d50-\U00011d59" -}}
    {{ "\U00011da0-\U00011da9\U00016a60-\U00016a69\U00016ac0-\U00016ac9\U00016b50-\U00016b59" -}}
    {{ "\U0001d7ce-\U0001d7ff\U0001e140-\U0001e149\U0001e2f0-\U0001e2f9\U0001e950-\U0001e959" -}}
    {{ "\U0001fbf0-\U0001fbf9" -}}
{%- endmacro %}
