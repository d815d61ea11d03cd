-- Longer than usual because the ids of a person come from three places.
with

events as (

    select * from {{ ref('int_events__traced') }}

),

suppressed as (

    select * from {{ ref('int_events__suppressed') }}

),

written as (

    select * from {{ ref('int_values__traced') }}

),

suppressions as (

    select * from {{ ref('int_suppressions__unioned') }}

),

resolved as (

    select * from {{ slice_of('int_people__resolved') }}

),

people as (

    select * from {{ ref('int_people__suppressed') }}

),

-- What other people's events have too is not the person's own.
others as (

    select distinct
        events.kind,
        events.suppression_sha256
    from events
    left join suppressed on events.event_key = suppressed.event_key
    where suppressed.event_key is null

),

found as (

    select
        written.kind,
        written.subject_value,
        written.suppression_sha256,
        suppressions.is_asked
    from written
    inner join suppressions
        on written.kind = suppressions.kind and written.suppression_sha256 = suppressions.suppression_sha256
    union all
    select
        written.kind,
        written.subject_value,
        written.suppression_sha256,
        people.is_asked
    from written
    inner join resolved on written.node = resolved.node
    inner join people on resolved.person_id = people.person_id
    union all
    select
        events.kind,
        events.subject_value,
        events.suppression_sha256,
        suppressed.is_asked
    from events
    inner join suppressed on events.event_key = suppressed.event_key
    -- Of an event that is held for an id of several people, the other ids are somebody's who did not ask.
    inner join people on events.person_id = people.person_id
    left join others on events.kind = others.kind and events.suppression_sha256 = others.suppression_sha256
    where others.kind is null

),

values_suppressed as (

    select
        kind,
        subject_value,
        suppression_sha256,
        max(case when is_asked then 1 else 0 end) = 1 as is_asked
    from found
    group by kind, subject_value, suppression_sha256

)

select * from values_suppressed
