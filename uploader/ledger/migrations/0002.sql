-- The high-water mark stands by itself, so that pruning old rows does not lower it; beside it when the log was
-- written last (microseconds), which a clock that jumped back shows by.
insert into meta select 'high_water', cast(coalesce(max(n), 0) as text) from (
    select max(change_no) as n from batch union all select max(change_no) from verdict
) as numbers;
insert into meta select 'written_at', cast(coalesce(max(n), 0) as text) from (
    select max(intent_at) as n from batch
    union all select max(settled_at) from batch
    union all select max(decided_at) from verdict
) as moments;

-- A key whose batch was refused, and that nobody had requests left to look at: not to be sent before.
alter table verdict add column not_before integer;

-- What people decided: resolve, requeue, a new beginning.
create table decision (
    decision_no integer primary key,
    decided_at integer not null,
    decided_by text not null,
    command text not null,
    detail text not null
) strict;
