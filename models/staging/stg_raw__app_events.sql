{{ require_raw_columns('app_events') }}

with

texts as (

    select
        {{ raw_texts('app_events') }}
    from {{ raw_table('app_events') }}

),

app_events as (

    select
        ---------- ids
        {{ [
            'app_event_id', 'event_id', 'customer_id', 'visitor_id', 'order_id', 'anon_id', 'vendor_id',
            'install_referrer', 'installer_package', 'campaign_ids',
        ] | join(',\n        ') }},
        -- Zeros are what a device tells whose owner wants no tracking: everybody's id.
        nullif(madid, '00000000-0000-0000-0000-000000000000') as madid,

        ---------- states
        {{ standard_event_name('event_name') }} as event_name,
        lower(platform) as platform,
        {{ raw_value('app_events', 'advertiser_tracking_enabled') }} as advertiser_tracking_enabled,
        {{ raw_value('app_events', 'application_tracking_enabled') }} as application_tracking_enabled,
        -- A flag that nobody can read is taken as set, as for orders.
        coalesce({{ raw_value('app_events', 'is_test') }}, is_test is not null) as is_test,

        ---------- timestamps
        {{ raw_value('app_events', 'occurred_at') }} as occurred_at,

        ---------- device
        {{ [
            'os_version', 'package_name', 'app_version_short', 'app_version_long', 'device_model', 'locale',
            'timezone_abbreviation', 'carrier', 'screen_width', 'screen_height', 'screen_density', 'cpu_cores',
            'storage_gb', 'free_storage_gb', 'device_timezone', 'client_ip',
        ] | join(',\n        ') }},

        ---------- what it is about
        {{ raw_value('app_events', 'value') }} as value,
        upper(currency) as currency,
        product_id,
        {{ raw_value('app_events', 'quantity') }} as quantity,
        {{ raw_value('app_events', 'unit_price') }} as unit_price,
        content_ids,
        content_type,
        {{ raw_value('app_events', 'num_items') }} as num_items,
        search_string,

        ---------- person
        email,
        phone,
        country_code as country,
        region,

        ---------- audit
        {{ unreadable_columns('app_events') }} as unreadable_columns
    from texts

)

select * from app_events
