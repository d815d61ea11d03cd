with

orders as (

    select * from {{ slice_of('int_orders__latest') }}

),

orders_without_event as (

    select
        order_id,
        no_event_reason as reason
    from orders
    where no_event_reason is not null

)

select * from orders_without_event
