{# Whether the identifiers that would leave, without those that a policy withholds, reach a destination's minimum: one
   branch for each word that seeds/destinations.csv may hold in match_rule. A word without a branch lets nothing pass. #}
{% macro meets_match_rule(destinations, events, withheld_fields) -%}
    case {{ destinations }}.match_rule
        when 'any_key' then {{ any_key_leaves(destinations ~ '.match_keys', events, withheld_fields) }}
        when 'no_broad_combination' then {{ no_broad_combination(events, withheld_fields) }}
        else false
    end
{%- endmacro %}

{# Meta refuses an event whose identifiers are all in one of four sets that fit too many people.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/best-practices, read 2026-09-12
   Of a conversation it asks for the person's id there.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/business-messaging, read 2026-09-12 #}
{% macro no_broad_combination(events, withheld_fields) -%}
    {%- set in_conversation = ['page_scoped_user_id', 'ctwa_clid', 'ig_sid'] -%}
    {%- set narrow = [
        'email_sha256', 'phone_digits_sha256', 'external_id_sha256', 'client_ip', 'fbp', 'fbc', 'lead_id', 'madid',
        'anon_id', 'email_sha256s', 'phone_digits_sha256s',
    ] + in_conversation -%}
    {%- set broad = [
        'first_name_sha256', 'last_name_sha256', 'gender_sha256', 'date_of_birth_sha256', 'city_sha256',
        'region_sha256', 'postal_code_sha256', 'country_sha256', 'user_agent',
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
        {%- set outside = broad | reject('in', combination) | list -%}
        {%- do conditions.append(any_leaves(events, outside, withheld_fields)) -%}
    {%- endfor -%}
    (
            {{ any_leaves(events, narrow, withheld_fields) }}
            or ({{ conditions | join('\n            and ') }})
        )
        and (
            {{ events }}.messaging_channel is null
            or {{ any_leaves(events, in_conversation, withheld_fields) }}
        )
{%- endmacro %}

{# What seeds/destinations.csv may name in match_keys: a column, or two that count together only. client_ipv4 is
   client_ip for those that know the older form of addresses only. #}
{% macro match_key_names() %}
    {{ return(click_ids() | list + [
        'email_sha256', 'email_gmail_sha256', 'email_microsoft_sha256', 'email_reddit_sha256', 'phone_digits_sha256',
        'phone_e164_sha256', 'external_id_sha256', 'ga_client_id', 'fbp', 'fbc', 'madid', 'lead_id',
        'client_ip+user_agent', 'client_ipv4+user_agent',
    ]) }}
{% endmacro %}

{# What of a list of match keys is none of the names that are known, as SQL; blanks where all are. #}
{% macro unknown_match_keys(match_keys) -%}
    {%- set rest = ["' ' || replace(" ~ match_keys ~ ", ' ', '  ') || ' '"] -%}
    {%- for name in match_key_names() -%}
        {%- do rest.append("replace(" ~ rest.pop() ~ ", ' " ~ name ~ " ', '')") -%}
    {%- endfor -%}
    {{ rest[0] }}
{%- endmacro %}

{# Whether at least one of the keys that a destination names would leave; match_keys holds names with blanks between. #}
{% macro any_key_leaves(match_keys, events, withheld_fields) -%}
    {%- set conditions = [] -%}
    {%- for name in match_key_names() -%}
        {%- set parts = ["' ' || " ~ match_keys ~ " || ' ' like '% " ~ name ~ " %'"] -%}
        {%- for column in name.split('+') -%}
            {%- do parts.append(any_leaves(events, [column.replace('ipv4', 'ip')], withheld_fields)) -%}
            {%- if column == 'client_ipv4' -%}{%- do parts.append(events ~ ".client_ip not like '%:%'") -%}{%- endif -%}
        {%- endfor -%}
        {%- do conditions.append('(' ~ parts | join(' and ') ~ ')') -%}
    {%- endfor -%}
    {{ conditions | join('\n            or ') }}
{%- endmacro %}

{# Whether at least one of some columns would leave; those that end in s are lists. Withholding is rare, so whether there
   is any is asked first. #}
{% macro any_leaves(events, columns, withheld_fields) -%}
    {%- set plain, kept = [], [] -%}
    {%- for column in columns -%}
        {%- set name = events ~ '.' ~ column -%}
        {%- set value = 'case when ' ~ name ~ " is not null then '' end" if column.endswith('s') else name -%}
        {%- do plain.append(value) -%}
        {%- do kept.append('case when not ' ~ is_withheld(column, withheld_fields) ~ ' then ' ~ value ~ ' end') -%}
    {%- endfor -%}
    case
                when {{ withheld_fields }} is null then coalesce({{ plain | join(', ') }}) is not null
                else coalesce({{ kept | join(', ') }}) is not null
            end
{%- endmacro %}
