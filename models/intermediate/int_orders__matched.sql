-- Longer than other models: two ways to a session, which must not be told apart downstream.
with

orders as (

    select * from {{ ref('int_orders__latest') }}

),

sessions as (

    select * from {{ ref('int_sessions__latest') }}

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

-- One pass over each customer's sessions and orders in time finds the latest session before each order. A
-- join by range would pair all with all where many orders share one customer, as guest checkouts can.
timeline as (

    select
        customer_id,
        started_at as happened_at,
        started_at,
        null as order_key
    from sessions
    where customer_id is not null and started_at is not null
    union all
    select
        customer_id,
        created_at as happened_at,
        null as started_at,
        order_key
    from named
    where session_id is null and customer_id is not null and created_at is not null

),

latest_starts as (

    select
        order_key,
        customer_id,
        happened_at,
        -- The window takes in the rows of the same moment: a session that starts with the order counts.
        max(started_at) over (partition by customer_id order by happened_at) as started_at
    from timeline

),

orders_matched as (

    select
        order_key,
        session_id
    from named
    where session_id is not null
    union all
    -- Of a customer's sessions that started in the same moment, one.
    select
        order_key,
        max(sessions.session_id) as session_id
    from latest_starts
    inner join sessions
        on latest_starts.customer_id = sessions.customer_id and latest_starts.started_at = sessions.started_at
    where
        order_key is not null
        and latest_starts.started_at >= {{ add_days('happened_at', -(var('session_lookback_days') | int)) }}
    group by order_key

)

select * from orders_matched
