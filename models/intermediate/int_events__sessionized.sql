with

events as (

    select * from {{ slice_of('int_events__keyed') }}

),

matches as (

    select * from {{ ref('int_events__matched') }}

),

sessions as (

    select * from {{ slice_of('int_sessions__latest') }}

),

lent as (

    select * from {{ ref('int_events__lent') }}

),

people as (

    select * from {{ slice_of('int_people__recognized') }}

),

events_sessionized as (

    select
        {{ selected('events', event_columns() | reject('in', [
            'session_id', 'matched_at', 'visitor_id', 'fbp', 'fbc', 'referrer_url',
        ]) | list + ['event_key', 'event_id', 'is_duplicate']) }},
        people.person_id,
        events.visitor_id,
        sessions.session_id,
        sessions.visitor_id as session_visitor_id,
        sessions.started_at as session_started_at,
        sessions.landing_url as session_landing_url,
        sessions.client_ip as session_client_ip,
        sessions.user_agent as session_user_agent,
        sessions.country as session_country,
        coalesce(events.referrer_url, sessions.referrer_url) as referrer_url,
        coalesce(events.fbp, sessions.fbp) as fbp,
        coalesce(events.fbc, sessions.fbc) as fbc,
        sessions.ga_client_id,
        {{ lent_columns('lent') }}
    from events
    left join matches on events.event_key = matches.event_key
    left join sessions on matches.session_id = sessions.session_id
    left join lent on events.event_key = lent.event_key
    left join people on events.event_key = people.record_id and people.record_type = 'event'

)

select * from events_sessionized
