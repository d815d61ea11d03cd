{%- set national_plan = phone_plan() | reject('eq', 'international_prefix') | list -%}
-- Longer than other models: what a browser sent and what is hashed, in one pass.
with

events as (

    select * from {{ ref('int_events__located') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

-- What only a visit to the website has is kept for events of the website alone.
browsed as (

    select
        events.*,
        currencies.currency as known_currency,
        currencies.minor_units,
        events.action_source = 'website' as is_website,
        -- A path without its site, as some shops have it, is no address.
        coalesce(
            {% for url in ['page_url', 'landing_url'] -%}
                case when events.{{ url }} like '%://%' then events.{{ url }} end,
            {% endfor -%}
            events.session_landing_url
        ) as seen_url,
        {{ well_formed_ip('events.client_ip') }} as own_ip,
        {{ well_formed_ip('events.session_client_ip') }} as session_ip,
        {{ click_id('fbclid') }} as fbclid,
        {{ normalize_email('email') }} as normal_email,
        {{ phone_text_of_many('phone') }} as plain_phone
    from events
    left join currencies on events.currency = currencies.currency

),

spelled as (

    select
        *,
        {{ without_accents('normal_email') }} as ascii_email,
        {{ dialled_number('plain_phone', 'calling_code', 'international_prefix', 'shapes') }} as dialled_phone
    from browsed

),

-- In steps, each of which an expression would repeat where it stands more than once.
told as (

    select
        *,
        {{ full_number('dialled_phone', *national_plan) }} as normal_phone
    from spelled

),

events_identified as (

    select
        {{ (passing_columns() + [
            'event_key', 'event_name', 'event_id', 'event_at', 'action_source', 'source_table', 'source_id',
            'country_code', 'region_code', 'customer_id', 'visitor_id', 'session_visitor_id', 'person_id', 'session_id',
            'session_started_at', 'source_hold_reason', 'is_duplicate',
        ]) | join(',\n        ') }},
        coalesce(is_value_required, false) as is_value_required,
        {{ rounded_money('value', 'minor_units') }} as value,
        known_currency as currency,
        {{ rounded_money('case when predicted_ltv >= 0 then predicted_ltv end', 'minor_units') }}
            as predicted_ltv,
        {{ rounded_money('net_revenue', 'minor_units') }} as net_revenue,
        case when is_website then {{ url_without_query('seen_url') }} end as event_source_url,
        case when is_website then {{ url_without_query('referrer_url') }} end as referrer_url,
        case
            when is_website then coalesce(own_ip, session_ip)
            when action_source = 'app' then own_ip
        end as client_ip,
        case when is_website then coalesce(user_agent, session_user_agent) end as user_agent,
        coalesce({{ well_formed_browser_id('fbp') }}, lent_fbp) as fbp,
        coalesce({{ facebook_click('fbc', 'fbclid', 'session_started_at') }}, lent_fbc) as fbc,
        {{ browser_client_id('ga_client_id') }} as ga_client_id,
        {{ click_ids_of_event() }},
        {{ hashed_form('email', 'normal_email') }} as email_sha256,
        {{ hashed_form('email', gmail_form('normal_email')) }} as email_gmail_sha256,
        {{ hashed_form('email', microsoft_form('ascii_email')) }} as email_microsoft_sha256,
        {{ hashed_form('email', reddit_form('normal_email')) }} as email_reddit_sha256,
        {{ hashed_form('phone', 'normal_phone') }} as phone_digits_sha256,
        case when {{ sha256_of_source('phone') }} is null then {{ sha256_hex("'+' || normal_phone") }} end
            as phone_e164_sha256,
        {{ hashed('name', 'first_name') }} as first_name_sha256,
        {{ hashed('name', 'last_name') }} as last_name_sha256,
        {{ hashed('city', 'city') }} as city_sha256,
        {{ hashed('region', 'region', 'region_code') }} as region_sha256,
        {{ hashed('postal_code', 'postal_code', 'country_code') }} as postal_code_sha256,
        {{ hashed('country', 'country', 'country_code') }} as country_sha256,
        {{ hashed('date_of_birth', 'date_of_birth') }} as date_of_birth_sha256,
        {{ hashed('gender', 'gender') }} as gender_sha256,
        {{ hashed('external_id', 'customer_id') }} as external_id_sha256
    from told

)

select * from events_identified
