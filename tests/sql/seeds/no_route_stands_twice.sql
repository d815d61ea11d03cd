-- Guards: a route that stands twice would put the event into the outbox twice.
select
    event_name,
    destination,
    count(*) as row_count
from {{ ref('event_routes') }}
group by event_name, destination
having count(*) > 1
