-- Beside the time of a batch's latest event that of its earliest, so that the batches of a window are told without
-- reading their events.
alter table batch add column earliest_event_at integer;
update batch set earliest_event_at =
    (select min(e.event_at) from batch_event e where e.batch_id = batch.batch_id);
