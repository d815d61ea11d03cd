with

orders as (

    select * from {{ ref('int_orders__latest') }}

),

sessions as (

    select * from {{ ref('int_sessions__latest') }}

),

-- Of a customer's sessions that started in the same moment, one.
session_starts as (

    select customer_id, started_at, max(session_id) as session_id from sessions
    where customer_id is not null and started_at is not null
    group by customer_id, started_at

),

-- The session that an order names, where it is known.
named as (

    select
        orders.order_key,
        orders.customer_id,
        orders.created_at,
        sessions.session_id
    from orders
    left join sessions on orders.session_id = sessions.session_id

),

-- One pass over each customer's sessions and orders in time finds the latest session before each order. A join by
-- range would pair all with all where many orders share one customer, as guest checkouts can.
timeline as (

    select customer_id, started_at as happened_at, 0 as is_order, started_at, null as order_key
    from session_starts
    union all
    select customer_id, created_at, 1, null, order_key
    from named
    where session_id is null and customer_id is not null and created_at is not null

),

latest_starts as (

    select
        order_key,
        customer_id,
        happened_at,
        max(started_at) over (
            partition by customer_id order by happened_at, is_order rows between unbounded preceding and current row
        ) as started_at
    from timeline

),

orders_matched as (

    select order_key, session_id from named
    where session_id is not null
    union all
    select latest_starts.order_key, session_starts.session_id
    from latest_starts
    inner join session_starts
        on latest_starts.customer_id = session_starts.customer_id
        and latest_starts.started_at = session_starts.started_at
    where latest_starts.order_key is not null
        and latest_starts.started_at >= {{ add_days('latest_starts.happened_at', -(var('session_lookback_days') | int)) }}

)

select * from orders_matched
