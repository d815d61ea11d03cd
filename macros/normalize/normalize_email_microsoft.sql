{# An e-mail address as Microsoft Advertising reads it, in every domain: the local part up to its first + and without
   dots, no accents anywhere. NULL when no local part is left. The guide of the UET Conversions API has the dots and
   the +alias (read 2026-11-20), the help page adds the accents; it names no part of the address, so all go. #}
{% macro normalize_email_microsoft(expression) -%}
    {% call bind_name('plain_email', normalize_email(expression)) -%}
        {% call bind_name('ascii_email', without_accents('plain_email')) -%}
            {{ microsoft_form('ascii_email') }}
        {%- endcall %}
    {%- endcall %}
{%- endmacro %}

{# The same of an address that normalize_email and without_accents made. #}
{% macro microsoft_form(email) -%}
    {{ email_with_local_part(email, "replace(" ~ email_before_plus(email) ~ ", '.', '')") }}
{%- endmacro %}
