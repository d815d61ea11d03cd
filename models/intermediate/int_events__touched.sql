-- Longer than usual because the line through time is made of two kinds of rows.
with

events as (

    select * from {{ slice_of('int_events__keyed') }}

),

people as (

    select * from {{ slice_of('int_people__recognized') }}

),

offers as (

    select * from {{ slice_of('int_people__offered') }}

),

moments as (

    select
        events.event_key,
        people.person_id,
        coalesce(events.matched_at, events.event_at) as matched_at
    from events
    inner join people on events.event_key = people.record_id and people.record_type = 'event'

),

devices as (

    select distinct
        person_id,
        visitor_id,
        id_name
    from offers

),

-- One pass in time over each device of a person. A join by range would pair all events with all sessions
-- where one browser has many of both.
timeline as (

    select
        person_id,
        visitor_id,
        id_name,
        started_at as happened_at,
        started_at,
        null as event_key
    from offers
    union all
    select
        {{ selected('devices', ['person_id', 'visitor_id', 'id_name']) }},
        moments.matched_at as happened_at,
        null as started_at,
        moments.event_key
    from moments
    inner join devices on moments.person_id = devices.person_id

),

latest_starts as (

    select
        {{ selected('timeline', ['event_key', 'person_id', 'visitor_id', 'id_name', 'happened_at']) }},
        -- The window takes in the rows of the same moment: a session that starts with the event counts.
        max(started_at) over (partition by person_id, visitor_id, id_name order by happened_at) as started_at
    from timeline

),

events_touched as (

    select
        {{ selected('latest_starts', ['event_key', 'person_id', 'visitor_id', 'id_name', 'started_at']) }}
    from latest_starts
    where
        latest_starts.event_key is not null
        and latest_starts.happened_at
        <= {{ add_days('latest_starts.started_at', var('session_lookback_days') | int) }}

)

select * from events_touched
