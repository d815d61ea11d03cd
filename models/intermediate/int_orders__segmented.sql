with

orders as (

    select * from {{ slice_of('int_orders__latest') }}

),

-- The orders that make a customer, by whichever of the two ids an order has. A customer who bought as a guest
-- before is known by the e-mail address.
bought as (

    select
        order_key,
        paid_at,
        customer_id,
        {{ hashed('email', 'email') }} as email_sha256
    from orders
    where
        {{ switched_on('segment_customers') }}
        and no_event_reason is null
        and paid_at is not null
        and not is_cancelled
        and financial_status <> 'voided'

),

numbered as (

    select
        order_key,
        coalesce(customer_id, email_sha256) is not null as is_known,
        case when customer_id is null then 1 else row_number() over (
            partition by customer_id order by paid_at, order_key
        ) end as customer_order_number,
        case when email_sha256 is null then 1 else row_number() over (
            partition by email_sha256 order by paid_at, order_key
        ) end as email_order_number
    from bought

),

orders_segmented as (

    select
        orders.order_key,
        -- What the shop says itself counts first.
        coalesce(
            orders.is_new_customer,
            case
                when numbered.is_known
                    then numbered.customer_order_number = 1 and numbered.email_order_number = 1
            end
        ) as is_new_customer
    from orders
    left join numbered on orders.order_key = numbered.order_key

)

select * from orders_segmented
