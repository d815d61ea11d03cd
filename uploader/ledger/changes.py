"""What changed in the sent log since it was published."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.ledger.ids import index_ids
from uploader.ledger.lookup import KEY, Successive
from uploader.ledger.states import STATES_SCHEMA, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uploader.ledger.log import Ledger

_PART_ROWS: Final = 100_000
_FEW: Final = 10
"""A part of a part's rows: so many verdicts are read once, without asking which are about the events of each part."""
CHANGES: Final = pl.Schema({**STATES_SCHEMA, "updated_at": pl.Int64(), "destination_id": pl.String()})
_SENT: Final = pl.Schema(
    {name: kind for name, kind in CHANGES.items() if name not in ("not_before", "quarantines", "destination_id")}
)
_TOUCHED: Final = pl.Schema(dict.fromkeys(KEY, pl.String) | dict.fromkeys(["known_at", "updated_at"], pl.Int64))
_JUDGED: Final = pl.Schema({**_TOUCHED, "change_no": pl.Int64()})
_SENT_EVENTS: Final = """
    select e.event_name, e.event_id, b.state, b.code, e.first_intent_at, b.batch_id, e.event_at,
        coalesce(b.settled_at, b.intent_at)
    from batch b
    join destination d on d.destination_no = b.destination_no
    join batch_event e on e.batch_id = b.batch_id
    where d.destination_id = :destination and b.change_no > :mark and b.batch_id between :first_batch and :last_batch
"""
_VERDICTS: Final = """
    select v.event_name, v.event_id, v.event_at, v.decided_at, v.change_no
    from verdict v
    join destination d on d.destination_no = v.destination_no
    where d.destination_id = :destination
"""
_OF_BATCHES: Final = (
    " and v.event_id in (select event_id from batch_event where batch_id between :first_batch and :last_batch)"
)
_TOUCHED_VERDICTS: Final = """
    select v.verdict_id, v.event_name, v.event_id, v.event_at, v.decided_at
    from verdict v
    join destination d on d.destination_no = v.destination_no
    where d.destination_id = :destination and v.change_no > :mark and v.verdict_id > :after
        and not exists (
            select 1 from verdict w
            where w.destination_no = v.destination_no and w.event_id = v.event_id and w.event_name = v.event_name
                and w.verdict_id > v.verdict_id
        )
        and not exists (
            select 1 from batch_event e
            join batch b on b.batch_id = e.batch_id
            where e.event_id = v.event_id and e.event_name = v.event_name
                and b.destination_no = v.destination_no and b.change_no > :mark
        )
    order by v.verdict_id
    limit :rows
"""


def changes_in_parts(ledger: Ledger, mark: int, rows: int = _PART_ROWS) -> Iterator[pl.DataFrame]:
    """Return the current state of every key that changed after the high-water ``mark``: each once, some at a time.

    Columns as in `states`, and ``updated_at`` (microseconds) and ``destination_id``.
    """
    for destination_id in ledger.destinations():
        values = {"destination": destination_id, "mark": mark}
        states_now = Successive(ledger, destination_id)
        few = rows // _FEW
        verdicts = ledger.frame(f"{_VERDICTS} limit :most", {**values, "most": few + 1}, _JUDGED)
        for first_batch, last_batch in _batches(ledger, values, rows):
            between = {**values, "first_batch": first_batch, "last_batch": last_batch}
            sent = ledger.frame(_SENT_EVENTS, between, _SENT)
            theirs = verdicts if verdicts.height <= few else ledger.frame(_VERDICTS + _OF_BATCHES, between, _JUDGED)
            judged = theirs.join(sent, on=KEY, how="semi")
            if judged.is_empty() and (sent["state"] == State.ACKED).all():
                # As most are. Only a verdict changes what was acked, so that nothing has to be looked for elsewhere.
                plain = pl.lit(None, pl.Int64).alias("not_before"), pl.lit(0, pl.Int64).alias("quarantines")
                yield sent.with_columns(*plain, destination_id=pl.lit(destination_id)).select(CHANGES.names())
            else:
                judged = judged.filter(pl.col("change_no") > mark)
                touched = pl.concat([part.select(_TOUCHED.names()) for part in (sent, judged)])
                # What was sent once more later comes with its last batch.
                yield _changed(states_now, destination_id, touched).filter(pl.col("batch_id") <= last_batch)
        for touched in _touched_verdicts(ledger, values, rows):
            yield _changed(states_now, destination_id, touched)


def _changed(states_now: Successive, destination_id: str, touched: pl.DataFrame) -> pl.DataFrame:
    latest = touched.group_by(KEY).agg(pl.col("known_at").min().alias("event_at"), pl.col("updated_at").max())
    changed = states_now.of(latest).join(latest.drop("event_at"), on=KEY)
    return changed.with_columns(destination_id=pl.lit(destination_id)).select(CHANGES.names())


def _batches(ledger: Ledger, values: Mapping[str, Any], rows: int) -> Iterator[tuple[int, int]]:
    """Return the first and the last batch of each part of those that changed, with so many events if possible."""
    found = ledger.store.rows(
        "select b.batch_id, b.events from batch b join destination d using (destination_no) "
        "where d.destination_id = :destination and b.change_no > :mark order by b.batch_id",
        values,
    )
    while found:
        ends = list(accumulate(events for _, events in found))
        part, found = found[: max(bisect_right(ends, rows), 1)], found[max(bisect_right(ends, rows), 1) :]
        yield part[0][0], part[-1][0]


def _touched_verdicts(ledger: Ledger, values: Mapping[str, Any], rows: int) -> Iterator[pl.DataFrame]:
    """Return the keys of new verdicts whose batches, if they have any, did not change."""
    if not ledger.store.rows("select 1 from verdict where change_no > :mark limit 1", values):
        return
    index_ids(ledger)
    after = 0
    while True:
        found = ledger.store.rows(_TOUCHED_VERDICTS, {**values, "after": after, "rows": rows})
        if not found:
            return
        after = found[-1][0]
        yield pl.DataFrame([row[1:] for row in found], schema=_TOUCHED, orient="row")
