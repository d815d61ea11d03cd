-- The sent log. Times are microseconds since 1970, UTC. It never holds user data.
-- change_no is one counter over all tables: the high-water mark of the manifest and of the publication.

create table meta (
    key text primary key,
    value text not null
) strict, without rowid;

create table destination (
    destination_no integer primary key,
    destination_id text not null unique,     -- platform:asset, e.g. meta:1234567890
    watched_from integer,                    -- what expired unsent since then is recorded
    not_before integer,                      -- the platform asked not to be called before
    transient_failures integer not null default 0,
    open_until integer                       -- the breaker
) strict;

-- The names of the fields that a bitmap in batch_event stands for.
create table field_set (
    field_set_no integer primary key,
    paths text not null unique               -- a JSON array; bit i is its element i
) strict;

-- One request's worth of events. Committed as an intent before the first byte is sent.
create table batch (
    batch_id integer primary key,
    destination_no integer not null references destination,
    run_id text not null,
    field_set_no integer not null references field_set,
    outbox_as_of integer not null,
    intent_at integer not null,
    latest_event_at integer not null,        -- finds the batches of a window without reading their events
    events integer not null,
    state text not null check (state in ('intent', 'acked', 'released', 'dead')),
    settled_at integer,
    code text,
    trace_id text,
    change_no integer not null unique
) strict;
create index batch_by_window on batch (destination_no, latest_event_at);

create table batch_event (
    batch_id integer not null references batch,
    event_name text not null,
    event_id text not null,
    event_at integer not null,
    first_intent_at integer not null,        -- of the key; a resend does not move it
    consent_at integer,                      -- the consent decision relied on
    payload_hash blob not null,              -- 16 bytes of SHA-256 of the JSON that left
    fields integer not null                  -- which fields left: a bitmap over field_set
) strict;
create index batch_event_by_batch on batch_event (batch_id);
create index batch_event_by_id on batch_event (event_id);

-- What became of one key outside a batch's own outcome. It counts from the batch that it names on.
create table verdict (
    verdict_id integer primary key,
    destination_no integer not null references destination,
    event_name text not null,
    event_id text not null,
    event_at integer,
    batch_id integer not null,               -- the key's last batch at that time, 0 without one
    state text not null check (state in ('released', 'acked', 'dead', 'expired', 'held', 'suppressed')),
    reason text not null,
    was_in_doubt integer not null,
    decided_at integer not null,
    decided_by text not null,                -- a run's id, or the person who decided
    change_no integer not null unique
) strict;
create index verdict_by_key on verdict (destination_no, event_id);
