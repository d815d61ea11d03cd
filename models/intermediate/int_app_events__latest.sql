with

app_events as (

    select * from {{ ref('stg_raw__app_events') }}
    where not is_test

),

-- A row may have been loaded twice. Rows without an id cannot be told apart by it, and all stay.
numbered as (

    select
        *,
        row_number() over (
            partition by app_event_id
            order by occurred_at asc nulls last, event_name asc, event_id asc, customer_id asc, value asc
        ) as version_number
    from app_events

),

-- An app that was offline may report the same event again; the platform counts the first.
reported as (

    select
        *,
        row_number() over (
            partition by event_name, event_id
            order by occurred_at asc nulls last, app_event_id asc, version_number asc
        ) as report_number
    from numbered
    where app_event_id is null or version_number = 1

),

app_events_latest as (

    select
        {{ [
            'app_event_id', 'event_id', 'customer_id', 'visitor_id', 'order_id', 'event_name', 'occurred_at', 'value',
            'currency', 'email', 'phone', 'country', 'region', 'client_ip',
            'advertiser_tracking_enabled', 'application_tracking_enabled', 'madid', 'anon_id', 'vendor_id',
            'install_referrer', 'installer_package', 'campaign_ids',
        ] | join(',\n        ') }},
        -- What was typed may be an e-mail address, which must not go on in clear.
        case when search_string not like '%@%' then search_string end as search_string,
        {{ record_key('app_event_id', 'version_number') }} as row_key,
        {{ app_info() }} as app_info,
        {{ product_columns('content_type', 'num_items') }}
    from reported
    where event_id is null or report_number = 1

)

select * from app_events_latest
