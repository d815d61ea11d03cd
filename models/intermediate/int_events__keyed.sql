with

events as (

    select * from {{ ref('int_events__unioned') }}

),

keyed as (

    select
        *,
        lower(event_name) || '.' || row_key as event_key,
        -- No id for a row without a usable one: falling back from an overlong browser id would count the
        -- conversion twice, once under each id.
        case
            when length(natural_key) <= 100 and coalesce(length(browser_event_id), 0) <= 200
                then {{ event_id('event_name', 'natural_key', 'browser_event_id') }}
        end as event_id
    from events

),

events_keyed as (

    select
        *,
        event_id is not null and row_number() over (
            partition by event_name, event_id order by event_at nulls last, natural_key, event_key
        ) > 1 as is_duplicate
    from keyed

)

select * from events_keyed
