with

app_events as (

    select * from {{ ref('int_app_events__latest') }}

),

-- An app may tell of an order twice, under two ids: the first counts.
ranked as (

    select
        *,
        row_number() over (
            partition by order_id order by occurred_at asc nulls last, row_key asc
        ) as telling_number
    from app_events
    where event_name = 'Purchase' and order_id is not null

),

app_events_by_order as (

    select
        {{ [
            'order_id', 'row_key', 'event_id', 'app_info', 'advertiser_tracking_enabled', 'application_tracking_enabled', 'madid',
            'anon_id', 'vendor_id', 'install_referrer', 'installer_package', 'campaign_ids',
        ] | join(',\n        ') }}
    from ranked
    where telling_number = 1

)

select * from app_events_by_order
