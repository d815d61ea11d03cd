-- Longer than usual because an order brings together what five tables say of it.
with

orders as (

    select * from {{ slice_of('int_orders__latest') }}

),

order_lines as (

    select * from {{ ref('int_order_lines__grouped') }}

),

payments as (

    select * from {{ ref('int_payments__grouped') }}

),

refunds as (

    select * from {{ ref('int_refunds__grouped') }}

),

segments as (

    select * from {{ ref('int_orders__segmented') }}

),

apps as (

    select * from {{ ref('int_app_events__by_order') }}

),

-- A shop without payment records trusts its orders.
payment_records as (

    select count(*) > 0 as exist from payments

),

purchases as (

    select
        {{ event_record(
            {
                'event_name': "'Purchase'",
                'natural_key': 'orders.order_id',
                'row_key': 'orders.order_key',
                'event_at': 'orders.paid_at',
                'matched_at': 'orders.created_at',
                'action_source': action_source('orders.channel'),
                'source_hold_reason': order_hold_reason('orders', 'payments', 'payment_records', 'refunds'),
                'is_value_required': 'true',
                'source_table': "'orders'",
                'source_id': 'orders.order_id',
                'value': value_after_refunds(
                    conversion_value('orders.total', 'orders.subtotal', 'orders.tax', 'orders.shipping'),
                    'orders.total', 'refunds.refunded_amount'
                ),
                'customer_segmentation': customer_segmentation('segments.is_new_customer'),
                'content_type': "case when order_lines.order_id is not null then 'product' end",
            },
            columns_of('order_lines', ['contents', 'content_ids', 'num_items']),
            columns_of('orders', ['order_id', 'currency', 'net_revenue', 'predicted_ltv']),
            person_columns('orders'),
            browser_columns('orders'),
            {'browser_event_id': 'coalesce(orders.browser_event_id, apps.event_id)'},
            columns_of('apps', [
                'app_info', 'advertiser_tracking_enabled', 'application_tracking_enabled', 'madid', 'anon_id', 'vendor_id',
                'install_referrer', 'installer_package', 'campaign_ids',
            ])
        ) }}
    from orders
    left join order_lines on orders.order_id = order_lines.order_id
    left join payments on orders.order_id = payments.order_id
    left join refunds on orders.order_id = refunds.order_id
    left join segments on orders.order_key = segments.order_key
    left join apps on orders.order_id = apps.order_id and orders.channel = 'app'
    cross join payment_records
    where orders.no_event_reason is null

)

select * from purchases
