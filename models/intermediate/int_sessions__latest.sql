with

sessions as (

    select * from {{ ref('stg_raw__sessions') }}

),

-- A session may have been loaded twice. One without an id cannot be told from another.
ranked as (

    select
        *,
        row_number() over (
            partition by session_id
            order by
                started_at desc nulls last, visitor_id asc, customer_id asc, landing_url asc, fbc asc,
                fbp asc, client_ip asc, user_agent asc, referrer_url asc, country asc
        ) as version_number
    from sessions
    where session_id is not null

),

sessions_latest as (

    select * from ranked
    where version_number = 1

)

select * from sessions_latest
