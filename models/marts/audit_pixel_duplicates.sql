with

paired as (

    select * from {{ ref('int_web_events__paired') }}

),

events as (

    select * from {{ slice_of('int_events__identified') }}

),

fired as (

    select * from {{ slice_of('int_web_events__latest') }}

),

pixel_duplicates as (

    select
        {{ selected('paired', ['web_event_key', 'event_key']) }},
        {{ selected('events', ['event_name', 'event_id', 'event_at']) }},
        fired.fired_name as pixel_event_name,
        fired.event_id as pixel_event_id,
        fired.occurred_at as pixel_fired_at,
        paired.seconds_later,
        case when fired.fired_name = events.event_name then 'other_id' else 'other_name' end as reason
    from paired
    inner join events on paired.event_key = events.event_key
    inner join fired on paired.web_event_key = fired.row_key

)

select * from pixel_duplicates
