-- Longer than other models: it is the whole contract, a column per line.
{%- set others = [
    'event_key', 'event_name', 'event_id', 'event_at', 'action_source', 'is_value_required', 'value', 'currency',
    'contents', 'content_ids', 'content_type', 'num_items', 'content_name', 'content_category', 'registration_status',
    'predicted_ltv', 'net_revenue', 'customer_segmentation', 'lead_event_source', 'event_source',
    'advertiser_tracking_enabled', 'application_tracking_enabled', 'messaging_channel', 'page_id',
    'whatsapp_business_account_id', 'instagram_business_account_id', 'country_code',
] %}
with

identified as (

    select * from {{ slice_of('int_events__identified') }}

),

suppressed as (

    select * from {{ ref('int_events__suppressed') }}

),

contacts as (

    select * from {{ slice_of('int_events__contacted') }}

),

-- Of a person who is to be forgotten, an event keeps that it was, and nothing of whose.
events as (

    select
        {{ selected('identified', others) }},
        {{ kept_where('suppressed.event_key is null', 'identified', personal_columns()) }}
    from identified
    left join suppressed on identified.event_key = suppressed.event_key

),

conversion_events as (

    select
        ---------- the event
        events.event_key,
        events.event_name,
        events.event_id,
        events.event_at,
        events.action_source,

        ---------- what was bought, or looked at
        events.order_id,
        case when {{ is_value_sent('events') }} then events.value end as value,
        case when {{ is_value_sent('events') }} then events.currency end as currency,
        events.contents,
        events.content_ids,
        events.content_type,
        events.num_items,
        events.content_name,
        events.content_category,
        events.search_string,
        events.registration_status,
        events.predicted_ltv,
        events.net_revenue,
        events.customer_segmentation,

        ---------- leads and subscriptions
        events.lead_id,
        events.lead_event_source,
        events.event_source,
        events.subscription_id,

        ---------- app
        events.app_info,
        events.advertiser_tracking_enabled,
        events.application_tracking_enabled,
        events.madid,
        events.anon_id,
        events.vendor_id,
        events.install_referrer,
        events.installer_package,
        events.campaign_ids,

        ---------- messaging
        events.messaging_channel,
        events.page_id,
        events.page_scoped_user_id,
        events.whatsapp_business_account_id,
        events.ctwa_clid,
        events.instagram_business_account_id,
        events.ig_sid,

        ---------- where
        events.event_source_url,
        events.referrer_url,

        ---------- who, hashed
        events.email_sha256,
        events.email_gmail_sha256,
        events.email_microsoft_sha256,
        events.email_reddit_sha256,
        {{ own_or_several('email_sha256', 'contacts.email_sha256s') }} as email_sha256s,
        events.phone_digits_sha256,
        events.phone_e164_sha256,
        {{ own_or_several('phone_digits_sha256', 'contacts.phone_digits_sha256s') }} as phone_digits_sha256s,
        events.first_name_sha256,
        events.last_name_sha256,
        events.city_sha256,
        events.region_sha256,
        events.postal_code_sha256,
        events.country_sha256,
        events.date_of_birth_sha256,
        events.gender_sha256,
        events.external_id_sha256,

        ---------- who, as platforms ask for it in clear
        events.client_ip,
        events.user_agent,
        events.fbp,
        events.fbc,
        events.ga_client_id,
        events.gclid,
        events.gbraid,
        events.wbraid,
        events.ttclid,
        events.sc_cid,
        events.epik,
        events.rdt_cid,
        events.li_fat_id,
        events.msclkid,
        events.twclid,
        events.country_code,
        events.region_code
    from events
    left join contacts on events.event_key = contacts.event_key
    -- In the order of time, because sending reads one span of it after the other.
    order by events.event_at

)

select * from conversion_events
