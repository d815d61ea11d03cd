with

orders as (

    select * from {{ ref('int_orders__latest') }}

),

matches as (

    select * from {{ ref('int_orders__matched') }}

),

sessions as (

    select * from {{ ref('int_sessions__latest') }}

),

orders_sessionized as (

    select
        orders.*,
        sessions.visitor_id,
        sessions.started_at as session_started_at,
        sessions.landing_url as session_landing_url,
        sessions.referrer_url,
        sessions.client_ip as session_client_ip,
        sessions.user_agent as session_user_agent,
        sessions.country as session_country,
        sessions.fbp,
        sessions.fbc
    from orders
    left join matches on orders.order_key = matches.order_key
    left join sessions on matches.session_id = sessions.session_id

)

select * from orders_sessionized
