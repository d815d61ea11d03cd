{# An e-mail address as Google reads it: in gmail.com and googlemail.com without dots and without what follows a +,
   the domain as it is; an address of another domain as normalize_email makes it. NULL when no local part is left.
   Source: Data Manager API, formatting of user data (read 2026-11-20). #}
{% macro normalize_email_gmail(expression) -%}
    {% call bind_name('plain_email', normalize_email(expression)) -%}
        case
            when {{ regexp_matches('plain_email', '@(gmail|googlemail)[.]com$') }}
                then {{ email_with_local_part('plain_email', "replace(" ~ email_before_plus('plain_email') ~ ", '.', '')") }}
            else plain_email
        end
    {%- endcall %}
{%- endmacro %}

{# The local part of a normalized address up to its first +; NULL when it begins with one. #}
{% macro email_before_plus(email) -%}
    {{ regexp_first(email, '^([^+@]+)') }}
{%- endmacro %}

{# A normalized address with another local part; NULL when that is empty. #}
{% macro email_with_local_part(email, local_part) -%}
    nullif({{ local_part }}, '') || {{ regexp_first(email, '(@.+)$') }}
{%- endmacro %}
