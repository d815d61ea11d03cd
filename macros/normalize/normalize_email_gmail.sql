{# An e-mail address as Google reads it: in gmail.com and googlemail.com without dots and without what follows a +,
   the domain as it is; an address of another domain as normalize_email makes it. NULL when no local part is left.
   Source: Data Manager API, formatting of user data (read 2026-11-20). #}
{% macro normalize_email_gmail(expression) -%}
    {% call bind_name('plain_email', normalize_email(expression)) -%} {{ gmail_form('plain_email') }} {%- endcall %}
{%- endmacro %}

{# The same of an address that normalize_email made. #}
{% macro gmail_form(email) -%}
    case
        when {{ email }} like '%@gmail.com' or {{ email }} like '%@googlemail.com'
            then {{ email_with_local_part(email, "replace(" ~ email_before_plus(email) ~ ", '.', '')") }}
        else {{ email }}
    end
{%- endmacro %}

{# The local part of a normalized address up to its first +; NULL when it begins with one. #}
{% macro email_before_plus(email) -%}
    {{ regexp_first(email, '^([^+@]+)') }}
{%- endmacro %}

{# A normalized address with another local part; NULL when that is empty. #}
{% macro email_with_local_part(email, local_part) -%}
    {{ not_empty(local_part) }} || substr({{ email }}, position('@' in {{ email }}))
{%- endmacro %}
