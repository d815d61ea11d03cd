with

traces as (

    select * from {{ ref('int_events__traced') }}

),

suppressions as (

    select * from {{ ref('int_suppressions__unioned') }}

),

events as (

    select * from {{ slice_of('int_events__keyed') }}

),

recognized as (

    select * from {{ slice_of('int_people__recognized') }}

),

people as (

    select * from {{ ref('int_people__suppressed') }}

),

-- One id of the event is enough, and so is its person. Of a person whose raw rows were erased, a row in the
-- books has no id but one that `uploader forget --erase-raw` made up.
found as (

    select
        traces.event_key,
        suppressions.is_asked
    from traces
    inner join suppressions
        on traces.kind = suppressions.kind and traces.suppression_sha256 = suppressions.suppression_sha256
    union all
    select
        recognized.record_id as event_key,
        people.is_asked
    from recognized
    inner join people on recognized.person_id = people.person_id
    where recognized.record_type = 'event'
    union all
    select
        event_key,
        false as is_asked
    from events
    where source_id like 'erased-%'

),

events_suppressed as (

    select
        event_key,
        max(case when is_asked then 1 else 0 end) = 1 as is_asked
    from found
    group by event_key

)

select * from events_suppressed
