-- Names the rows whose event id an earlier row has: they are held as duplicate_event_id, because a platform
-- would drop one of them. Mostly the browser reported two orders under one id.
select
    event_id,
    event_name,
    event_key,
    event_at
from {{ ref('int_events__identified') }}
where is_duplicate
