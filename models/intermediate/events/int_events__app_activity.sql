with

app_events as (

    select * from {{ ref('int_app_events__latest') }}

),

orders as (

    select * from {{ slice_of('int_orders__latest') }}

),

tellings as (

    select * from {{ ref('int_app_events__by_order') }}

),

-- An order that the shop knows is a purchase of its own, and gets what the app told. Of an order that it does
-- not know yet, the first row counts.
activities as (

    select
        {{ event_record(
            {
                'event_name': "coalesce(app_events.event_name, 'unnamed')",
                'natural_key': told_key('app_events', 'app_event_id'),
                'row_key': "'app_events-' || app_events.row_key",
                'browser_event_id': 'app_events.event_id',
                'event_at': 'app_events.occurred_at',
                'action_source': "'app'",
                'source_hold_reason': "case when app_events.event_name is null then 'invalid_event_name' end",
                'is_value_required': "coalesce(app_events.event_name = 'Purchase', false)",
                'source_table': "'app_events'",
                'source_id': 'app_events.app_event_id',
            },
            columns_of('app_events', [
                'customer_id', 'visitor_id', 'email', 'phone', 'region', 'country', 'client_ip', 'order_id', 'value',
                'currency', 'contents', 'content_ids', 'content_type', 'num_items', 'search_string', 'app_info',
                'advertiser_tracking_enabled', 'application_tracking_enabled', 'madid', 'anon_id', 'vendor_id',
                'install_referrer', 'installer_package', 'campaign_ids',
            ])
        ) }}
    from app_events
    left join orders on app_events.event_name = 'Purchase' and app_events.order_id = orders.order_id
    left join tellings on app_events.event_name = 'Purchase' and app_events.order_id = tellings.order_id
    where orders.order_id is null and coalesce(tellings.row_key, app_events.row_key) = app_events.row_key

)

select * from activities
