with

sessions as (

    select * from {{ slice_of('int_sessions__latest') }}

),

read as (

    select
        session_id,
        visitor_id,
        started_at,
        fbc as cookie,
        {{ well_formed_browser_id('fbp') }} as fbp,
        {{ url_parameter('landing_url', 'fbclid') }} as fbclid,
        {{ click_ids_of('landing_url') }}
    from sessions

),

clicked as (

    select
        session_id,
        visitor_id,
        started_at,
        {{ facebook_click('cookie', 'fbclid', 'started_at') }} as fbc,
        fbp,
        {{ click_ids() | list | join(',\n        ') }}
    from read

),

-- Sessions that carry nothing to lend are not carried along.
sessions_clicked as (

    select * from clicked
    where coalesce(fbc, fbp, {{ click_ids() | list | join(', ') }}) is not null

)

select * from sessions_clicked
