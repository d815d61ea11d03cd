{# Whether the identifiers that would be sent reach a destination's minimum: one branch for each word that
   seeds/destinations.csv may hold in match_rule. A word without a branch lets nothing pass. #}
{% macro meets_match_rule(match_rule, events) -%}
    case {{ match_rule }}
        when 'no_broad_combination' then {{ no_broad_combination(events) }}
        else false
    end
{%- endmacro %}

{# Meta refuses an event whose identifiers are all in one of four sets that fit too many people.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/best-practices, read 2026-09-12 #}
{% macro no_broad_combination(events) -%}
    {%- set identifiers = [
        'email_sha256', 'phone_digits_sha256', 'external_id_sha256', 'client_ip', 'fbp', 'fbc', 'first_name_sha256',
        'last_name_sha256', 'gender_sha256', 'date_of_birth_sha256', 'city_sha256', 'region_sha256',
        'postal_code_sha256', 'country_sha256', 'user_agent',
    ] -%}
    {%- set too_broad = [
        ['city_sha256', 'country_sha256', 'region_sha256', 'postal_code_sha256', 'gender_sha256', 'user_agent'],
        ['date_of_birth_sha256', 'user_agent'],
        ['first_name_sha256', 'gender_sha256'],
        ['last_name_sha256', 'gender_sha256'],
    ] -%}
    {#- Not in a set means: something is there that is outside of it. -#}
    {%- set conditions = [] -%}
    {%- for combination in too_broad -%}
        {%- set outside = [] -%}
        {%- for identifier in identifiers if identifier not in combination -%}
            {%- do outside.append(events ~ '.' ~ identifier) -%}
        {%- endfor -%}
        {%- do conditions.append('coalesce(' ~ outside | join(', ') ~ ') is not null') -%}
    {%- endfor -%}
    ({{ conditions | join('\n            and ') }})
{%- endmacro %}
