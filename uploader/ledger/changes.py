"""What changed in the sent log since it was published."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.ledger.lookup import KEY, LATEST, Successive
from uploader.ledger.states import STATES_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uploader.ledger.log import Ledger

_PART_ROWS: Final = 100_000
CHANGES: Final = pl.Schema({**STATES_SCHEMA, "updated_at": pl.Int64(), "destination_id": pl.String()})
_TOUCHED: Final = pl.Schema(dict.fromkeys(KEY, pl.String) | dict.fromkeys(["event_at", "updated_at"], pl.Int64))
_TOUCHED_EVENTS: Final = """
    select e.event_name, e.event_id, e.event_at, coalesce(b.settled_at, b.intent_at)
    from batch b
    join destination d on d.destination_no = b.destination_no
    join batch_event e on e.batch_id = b.batch_id
    where d.destination_id = :destination and b.change_no > :mark and b.batch_id between :first_batch and :last_batch
"""
_TOUCHED_AFTERWARDS: Final = """
    select v.event_name, v.event_id, v.event_at, v.decided_at
    from verdict v
    join destination d on d.destination_no = v.destination_no
    where d.destination_id = :destination and v.change_no > :mark
        and v.event_id in (select event_id from batch_event where batch_id between :first_batch and :last_batch)
"""
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


def changes_since(ledger: Ledger, mark: int) -> pl.DataFrame:
    """Return all that `changes_in_parts` does at once."""
    return pl.concat([pl.DataFrame(schema=CHANGES), *changes_in_parts(ledger, mark)])


def changes_in_parts(ledger: Ledger, mark: int, rows: int = _PART_ROWS) -> Iterator[pl.DataFrame]:
    """Return the current state of every key that changed after the high-water ``mark``: each once, some at a time.

    Columns as in `states`, and ``updated_at`` (microseconds) and ``destination_id``.
    """
    for destination_id in ledger.destinations():
        values = {"destination": destination_id, "mark": mark}
        states_now = Successive(ledger, destination_id)
        of_batches, of_verdicts = _touched_batches(ledger, values, rows), _touched_verdicts(ledger, values, rows)
        for touched, last_batch in chain(of_batches, of_verdicts):
            latest = touched.group_by(KEY).agg(pl.col("event_at").min(), pl.col("updated_at").max())
            current = states_now.of(latest).filter(pl.col("batch_id") <= last_batch)
            changed = current.join(latest.drop("event_at"), on=KEY)
            yield changed.with_columns(destination_id=pl.lit(destination_id)).select(CHANGES.names())


def _touched_batches(ledger: Ledger, values: Mapping[str, Any], rows: int) -> Iterator[tuple[pl.DataFrame, int]]:
    """Return the keys of batches that changed, and the last batch of each part: later ones follow."""
    found = ledger.store.rows(
        "select b.batch_id, b.events from batch b join destination d using (destination_no) "
        "where d.destination_id = :destination and b.change_no > :mark order by b.batch_id",
        values,
    )
    while found:
        ends = list(accumulate(events for _, events in found))
        part, found = found[: max(bisect_right(ends, rows), 1)], found[max(bisect_right(ends, rows), 1) :]
        between = {**values, "first_batch": part[0][0], "last_batch": part[-1][0]}
        touched = ledger.frame(_TOUCHED_EVENTS, between, _TOUCHED)
        judged = ledger.frame(_TOUCHED_AFTERWARDS, between, _TOUCHED).join(touched, on=KEY, how="semi")
        yield pl.concat([touched, judged]), part[-1][0]


def _touched_verdicts(ledger: Ledger, values: Mapping[str, Any], rows: int) -> Iterator[tuple[pl.DataFrame, int]]:
    """Return the keys of new verdicts whose batches, if they have any, did not change."""
    after = 0
    while True:
        found = ledger.store.rows(_TOUCHED_VERDICTS, {**values, "after": after, "rows": rows})
        if not found:
            return
        after = found[-1][0]
        yield pl.DataFrame([row[1:] for row in found], schema=_TOUCHED, orient="row"), LATEST
