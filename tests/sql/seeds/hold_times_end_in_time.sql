-- Guards: a hold time ends a day before the destination stops accepting the event, or nothing would be sent.
select
    routes.event_name,
    routes.destination,
    routes.send_after_minutes,
    destinations.max_age_days
from {{ ref('event_routes') }} as routes
inner join {{ ref('destinations') }} as destinations on routes.destination = destinations.destination
where
    routes.send_after_minutes < 0
    or routes.send_after_minutes > (destinations.max_age_days - 1) * 24 * 60
    or routes.send_after_minutes > (destinations.max_age_days_in_store - 1) * 24 * 60
