-- Guards: an event is sendable exactly when no reason holds it, and then has all that it is counted by.
select
    event_key,
    destination,
    is_sendable,
    hold_reason
from {{ ref('fct_conversion_outbox') }}
where
    is_sendable <> (hold_reason is null)
    or (is_sendable and (event_id is null or event_at is null))
