-- Longer than other models: two ways to a session, which must not be told apart downstream.
with

events as (

    select * from {{ slice_of('int_events__keyed') }}

),

sessions as (

    select * from {{ slice_of('int_sessions__latest') }}

),

people as (

    select * from {{ slice_of('int_people__recognized') }}

),

-- The session that an event names, where it is known.
named as (

    select
        events.event_key,
        people.person_id,
        coalesce(events.matched_at, events.event_at) as matched_at,
        sessions.session_id
    from events
    left join sessions on events.session_id = sessions.session_id
    left join people on events.event_key = people.record_id and people.record_type = 'event'

),

visits as (

    select
        people.person_id,
        sessions.session_id,
        sessions.started_at
    from sessions
    inner join people on sessions.session_id = people.record_id and people.record_type = 'session'
    where sessions.started_at is not null

),

-- One pass over each person's sessions and events in time finds the latest session before each event. A
-- join by range would pair all with all where one person has many of both.
timeline as (

    select
        person_id,
        started_at as happened_at,
        started_at,
        null as event_key
    from visits
    union all
    select
        person_id,
        matched_at as happened_at,
        null as started_at,
        event_key
    from named
    where session_id is null and person_id is not null and matched_at is not null

),

latest_starts as (

    select
        event_key,
        person_id,
        happened_at,
        -- The window takes in the rows of the same moment: a session that starts with the event counts.
        max(started_at) over (partition by person_id order by happened_at) as started_at
    from timeline

),

events_matched as (

    select
        event_key,
        session_id
    from named
    where session_id is not null
    union all
    -- Of a person's sessions that started in the same moment, one.
    select
        latest_starts.event_key,
        max(visits.session_id) as session_id
    from latest_starts
    inner join visits
        on latest_starts.person_id = visits.person_id and latest_starts.started_at = visits.started_at
    where
        latest_starts.event_key is not null
        and happened_at <= {{ add_days('latest_starts.started_at', var('session_lookback_days') | int) }}
    group by latest_starts.event_key

)

select * from events_matched
