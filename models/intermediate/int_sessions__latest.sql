with

sessions as (

    select * from {{ ref('stg_raw__sessions') }}
    where session_id is not null

),

-- Few sessions come again, so only those are sorted.
repeated as (

    select session_id
    from {{ ref('stg_raw__sessions') }}
    group by session_id
    having count(*) > 1

),

marked as (

    select
        sessions.*,
        repeated.session_id is not null as is_repeated
    from sessions
    left join repeated on sessions.session_id = repeated.session_id

),

-- A session may have been loaded twice. One without an id cannot be told from another.
ranked as (

    select
        *,
        row_number() over (
            partition by session_id
            order by
                started_at desc nulls last, visitor_id asc, customer_id asc, landing_url asc, fbc asc,
                fbp asc, client_ip asc, user_agent asc, referrer_url asc, country asc,
                ga_client_id asc
        ) as version_number
    from marked
    where is_repeated
    union all
    select
        *,
        1 as version_number
    from marked
    where not is_repeated

),

sessions_latest as (

    select * from ranked
    where version_number = 1

)

select * from sessions_latest
