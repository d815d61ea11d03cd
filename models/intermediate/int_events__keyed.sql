with

events as (

    select * from {{ ref('int_events__unioned') }}

),

-- What left, or may have: all but what was provably not taken, and rehearsals.
sent as (

    select distinct
        event_name,
        event_id
    from {{ ref('stg_kept__sent_log') }}
    where first_intent_at is not null and state <> 'released' and destination_id not like '%#test'

),

keyed as (

    select
        events.*,
        lower(events.event_name) || '.' || events.row_key as event_key,
        -- No id for a row without a usable one: falling back from an overlong browser id would count the
        -- conversion twice, once under each id. So would a browser's id that comes after the event was sent.
        case
            when length(events.natural_key) <= 100 and coalesce(length(events.browser_event_id), 0) <= 200
                then coalesce(sent.event_id, {{ event_id(
                    'events.event_name', 'events.natural_key', 'events.browser_event_id'
                ) }})
        end as event_id
    from events
    left join sent
        on
            events.browser_event_id is not null
            and events.event_name = sent.event_name
            and {{ event_id('events.event_name', 'events.natural_key') }} = sent.event_id

),

-- Few ids come twice, so only their events are put in order.
repeated as (

    select
        event_name,
        event_id
    from keyed
    where event_id is not null
    group by event_name, event_id
    having count(*) > 1

),

ranked as (

    select
        keyed.event_name,
        keyed.row_key,
        row_number() over (
            partition by keyed.event_name, keyed.event_id
            order by keyed.event_at nulls last, keyed.natural_key, keyed.event_key
        ) as id_number
    from keyed
    inner join repeated on keyed.event_name = repeated.event_name and keyed.event_id = repeated.event_id

),

events_keyed as (

    select
        keyed.*,
        coalesce(ranked.id_number > 1, false) as is_duplicate
    from keyed
    left join ranked on keyed.event_name = ranked.event_name and keyed.row_key = ranked.row_key

)

select * from events_keyed
