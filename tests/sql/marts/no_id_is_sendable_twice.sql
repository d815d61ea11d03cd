-- Guards: what a platform counts by, the event's name and id, is sendable once per destination.
select
    destination,
    event_name,
    event_id,
    count(*) as row_count
from {{ ref('fct_conversion_outbox') }}
where is_sendable
group by destination, event_name, event_id
having count(*) > 1
