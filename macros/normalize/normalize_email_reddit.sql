{# An e-mail address as Reddit reads it, in every domain: the local part up to its first + and of it only letters and
   digits (of any script), the domain as it is. NULL when no local part is left.
   Source: Reddit's business help on matching (read 2026-11-20). #}
{% macro normalize_email_reddit(expression) -%}
    {% call bind_name('plain_email', normalize_email(expression)) -%}
        {{ reddit_form('plain_email') }}
    {%- endcall %}
{%- endmacro %}

{# The same of an address that normalize_email made. #}
{% macro reddit_form(email) -%}
    {% set letters = regexp_remove(email_before_plus(email), '[' ~ dropped_characters() ~ ']+') -%}
    {{ email_with_local_part(email, letters) }}
{%- endmacro %}
