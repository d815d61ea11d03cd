-- Guards: each event has exactly one row per destination in the outbox, so that none is lost without a
-- reason. A destination that is switched off has its rows too; one that is not in use has none.
with

expected as (

    select
        events.event_key,
        destinations.destination
    from {{ ref('fct_conversion_events') }} as events
    cross join {{ ref('destinations') }} as destinations
    where destinations.is_enabled is not null

),

offered as (

    select
        event_key,
        destination,
        count(*) as row_count
    from {{ ref('fct_conversion_outbox') }}
    group by event_key, destination

)

select
    coalesce(expected.event_key, offered.event_key) as event_key,
    coalesce(expected.destination, offered.destination) as destination,
    offered.row_count
from expected
full outer join offered
    on expected.event_key = offered.event_key and expected.destination = offered.destination
where expected.event_key is null or offered.event_key is null or offered.row_count <> 1
