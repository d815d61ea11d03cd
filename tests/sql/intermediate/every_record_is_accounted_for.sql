-- Guards: a lead's stage or a subscription's change without a reason against it makes an event, and nothing
-- else does. A word in lead_stages() for an event that has no model would else lose leads without a word.
with

records as (

    select
        'leads' as source_table,
        lead_id as source_id
    from {{ slice_of('int_leads__latest') }}
    where no_event_reason is null
    union all
    select
        'subscriptions' as source_table,
        subscription_id as source_id
    from {{ ref('int_subscriptions__latest') }}
    where no_event_reason is null

),

record_counts as (

    select
        source_table,
        coalesce(source_id, '?') as source_id,
        count(*) as row_count
    from records
    group by 1, 2

),

event_counts as (

    select
        source_table,
        coalesce(source_id, '?') as source_id,
        count(*) as row_count
    from {{ ref('int_events__unioned') }}
    where source_table in ('leads', 'subscriptions')
    group by 1, 2

)

select
    coalesce(record_counts.source_table, event_counts.source_table) as source_table,
    coalesce(record_counts.source_id, event_counts.source_id) as source_id,
    record_counts.row_count as record_count,
    event_counts.row_count as event_count
from record_counts
full outer join event_counts
    on
        record_counts.source_table = event_counts.source_table
        and record_counts.source_id = event_counts.source_id
where coalesce(record_counts.row_count, 0) <> coalesce(event_counts.row_count, 0)
