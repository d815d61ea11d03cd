{%- set phone_rules = ['calling_code', 'trunk_prefix', 'shortest', 'longest'] -%}
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
        coalesce(events.landing_url, events.session_landing_url) as page_url,
        {{ well_formed_ip('events.client_ip') }} as own_ip,
        {{ well_formed_ip('events.session_client_ip') }} as session_ip,
        {{ click_id('fbclid') }} as fbclid
    from events
    left join currencies on events.currency = currencies.currency

),

events_identified as (

    select
        {{ [
            'event_key', 'event_name', 'event_id', 'event_at', 'action_source', 'order_id', 'contents', 'content_ids',
            'content_type', 'num_items', 'country_code', 'region_code', 'customer_id', 'visitor_id',
            'source_hold_reason', 'is_duplicate',
        ] | join(',\n        ') }},
        {{ rounded_money('value', 'minor_units') }} as value,
        known_currency as currency,
        case when is_website then {{ url_without_query('page_url') }} end as event_source_url,
        case when is_website then {{ url_without_query('referrer_url') }} end as referrer_url,
        case when is_website then coalesce(own_ip, session_ip) end as client_ip,
        case when is_website then coalesce(user_agent, session_user_agent) end as user_agent,
        {{ well_formed_browser_id('fbp') }} as fbp,
        {{ facebook_click('fbc', 'fbclid', 'session_started_at') }} as fbc,
        {{ click_id('gclid') }} as gclid,
        {{ click_id('gbraid') }} as gbraid,
        {{ click_id('wbraid') }} as wbraid,
        {{ click_id('ttclid') }} as ttclid,
        {{ click_id('ScCid') }} as sc_cid,
        {{ click_id('epik') }} as epik,
        {{ click_id('rdt_cid') }} as rdt_cid,
        {{ click_id('li_fat_id') }} as li_fat_id,
        {{ click_id('msclkid') }} as msclkid,
        {{ click_id('twclid') }} as twclid,
        {{ hashed('email', 'email') }} as email_sha256,
        {{ hashed('phone', 'phone', *phone_rules) }} as phone_digits_sha256,
        {{ hashed('name', 'first_name') }} as first_name_sha256,
        {{ hashed('name', 'last_name') }} as last_name_sha256,
        {{ hashed('city', 'city') }} as city_sha256,
        {{ hashed('region', 'region', 'region_code') }} as region_sha256,
        {{ hashed('postal_code', 'postal_code', 'country_code') }} as postal_code_sha256,
        {{ hashed('country', 'country', 'country_code') }} as country_sha256,
        {{ hashed('date_of_birth', 'date_of_birth') }} as date_of_birth_sha256,
        {{ hashed('gender', 'gender') }} as gender_sha256,
        {{ hashed('external_id', 'customer_id') }} as external_id_sha256
    from browsed

)

select * from events_identified
