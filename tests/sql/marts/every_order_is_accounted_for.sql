-- Guards: each order makes an event or is listed with the reason why not, never both and never neither.
with

accounted as (

    -- A renewal, say, may name an order too; it is no event of the order itself.
    select keyed.source_id as order_id
    from {{ slice_of('fct_conversion_events') }} as events
    inner join {{ slice_of('int_events__keyed') }} as keyed on events.event_key = keyed.event_key
    where keyed.source_table = 'orders'
    union all
    select order_id from {{ slice_of('audit_orders_without_event') }}

),

counted as (

    select
        order_id,
        count(*) as row_count
    from accounted
    where order_id is not null
    group by order_id

),

orders as (

    select distinct order_id from {{ ref('stg_raw__orders') }}
    where order_id is not null

)

select
    coalesce(orders.order_id, counted.order_id) as order_id,
    counted.row_count
from orders
full outer join counted on orders.order_id = counted.order_id
where orders.order_id is null or counted.order_id is null or counted.row_count <> 1
