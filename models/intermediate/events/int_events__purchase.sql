with

orders as (

    select * from {{ ref('int_orders__sessionized') }}

),

order_lines as (

    select * from {{ ref('int_order_lines__grouped') }}

),

payments as (

    select * from {{ ref('int_payments__grouped') }}

),

-- A shop without payment records trusts its orders.
payment_records as (

    select count(*) > 0 as exist from payments

),

purchases as (

    select
        'Purchase' as event_name,
        orders.order_id as natural_key,
        orders.order_key as row_key,
        orders.browser_event_id,
        orders.paid_at as event_at,
        {{ action_source('orders.channel') }} as action_source,
        case
            when orders.is_cancelled or orders.financial_status = 'voided' then 'order_cancelled'
            when orders.financial_status = 'refunded' then 'order_refunded'
            when orders.financial_status = 'pending' then 'payment_unconfirmed'
            when {{ var('require_payment') }} and payment_records.exist and payments.has_succeeded is not true
                then 'payment_unconfirmed'
        end as source_hold_reason,
        {{ conversion_value('orders.total', 'orders.subtotal', 'orders.tax', 'orders.shipping') }} as value,
        case when order_lines.order_id is not null then 'product' end as content_type,
        {{ selected('order_lines', ['contents', 'content_ids', 'num_items']) }},
        {{ selected('orders', [
            'order_id', 'currency', 'customer_id', 'visitor_id', 'email', 'phone', 'first_name', 'last_name', 'city',
            'region', 'postal_code', 'country', 'session_country', 'date_of_birth', 'gender', 'client_ip',
            'session_client_ip', 'user_agent', 'session_user_agent', 'landing_url', 'session_landing_url',
            'referrer_url', 'session_started_at', 'fbp', 'fbc',
        ]) }}
    from orders
    left join order_lines on orders.order_id = order_lines.order_id
    left join payments on orders.order_id = payments.order_id
    cross join payment_records
    where orders.no_event_reason is null

)

select * from purchases
