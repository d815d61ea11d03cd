-- Guards: what the sent log says left was allowed to. Stopping the build would not call it back, and a denial
-- may reach the warehouse after the event was sent: so it warns, and the rows say what to look at.
select
    destination_id,
    event_key,
    occasion,
    broken_rule
from {{ ref('audit_sent_without_consent') }}
