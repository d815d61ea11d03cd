"""What a sent log needs once in a while: a copy, and to forget what no platform would take any more.

An event as old as the retention cannot be sent again: its age is judged before the sent log is asked. So its key is
forgotten together with everything that became of it, unless somebody must still look at it. The numbers of changes
go on, and the warehouse's copy keeps what was published.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.clock import microseconds
from uploader.ledger import reading
from uploader.ledger.ids import index_ids
from uploader.ledger.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from uploader.clock import Clock
    from uploader.ledger.log import Ledger
    from uploader.settings import LedgerSettings

_WORTH_IT: Final = 0.1
"""The share of rows that must be old before any is deleted: to make the file smaller is to write all of it anew."""
_UNFINISHED: Final = (State.INTENT, State.HELD, State.DEAD)
"""What a person, or the next run, still has to look at, however old it is."""

# A batch is old when its youngest event is, and its request was that long ago too.
_OLD_BATCHES: Final = (
    "select batch_id from batch where destination_no = :no and latest_event_at < :cut and intent_at < :cut"
)
_YOUNG_BATCHES: Final = (
    "select 1 from batch_event y join batch b on b.batch_id = y.batch_id where y.event_id = {table}.event_id"
    " and b.destination_no = :no and not (b.latest_event_at < :cut and b.intent_at < :cut)"
)
_OLD_VERDICT: Final = "({row}.decided_at < :cut and coalesce({row}.event_at, 0) < :cut)"
_YOUNG_VERDICTS: Final = (
    "select 1 from verdict w where w.event_id = {table}.event_id and w.destination_no = :no and not "
    + _OLD_VERDICT.format(row="w")
)
_SUSPECTS: Final = (
    "select e.event_id from batch_event e join batch b on b.batch_id = e.batch_id"
    f" where b.batch_id in ({_OLD_BATCHES}) and b.state in ('intent', 'dead')"
    " union select event_id from verdict where destination_no = :no and state in ('held', 'dead')"
)
_OLD: Final = {
    "batch_event": f"batch_event.batch_id in ({_OLD_BATCHES})",
    "verdict": f"verdict.destination_no = :no and {_OLD_VERDICT.format(row='verdict')}",
}


def keep(ledger: Ledger, clock: Clock, settings: LedgerSettings) -> None:
    """Make a backup, if there is none of the last day; forget what is old, if there is much of it; give space back.

    Call it under the lock, at the end of a run, when its books are closed and what is to be published was read. Raises
    `TryLater` when it could not be done, which takes nothing from the run, and `LedgerRegression` when the log is found
    to be damaged.
    """
    ledger.store.back_up_daily(clock)
    index_ids(ledger)
    prune(ledger, clock() - timedelta(days=settings.retention_days))
    ledger.store.compact()


def prune(ledger: Ledger, before: datetime) -> int:
    """Forget every key of which nothing is younger than ``before`` and nothing is unfinished; return how many rows."""
    places = ledger.store.rows("select destination_no, destination_id from destination", {})
    total = sum(ledger.store.rows(f"select count(*) from {table}", {})[0][0] for table in _OLD)
    cut = microseconds(before)
    old = sum(_count(ledger, {"no": no, "cut": cut}) for no, _ in places)
    if not old or old < total * _WORTH_IT:
        return 0
    chosen = [(no, *_condition(ledger, no, name, cut)) for no, name in places]
    if sum(_count(ledger, values, condition) for _, condition, values in chosen) < total * _WORTH_IT:
        return 0
    with ledger.maintenance():
        return sum(_delete(ledger, condition, values) for _, condition, values in chosen)


def _condition(ledger: Ledger, no: int, destination_id: str, cut: int) -> tuple[str, dict[str, Any]]:
    """Return what else must hold for an old row of ``{table}`` to be forgotten, and the values that this needs."""
    values: dict[str, Any] = {"no": no, "cut": cut}
    suspects = [row[0] for row in ledger.store.rows(_SUSPECTS, values)]
    states = reading.states_of(ledger, destination_id, suspects)
    kept = states.filter(pl.col("state").is_in([state.value for state in _UNFINISHED]))["event_id"].unique().to_list()
    listed, ids = ledger.listed("{table}.event_id", "kept", kept)
    return f"not exists ({_YOUNG_BATCHES}) and not exists ({_YOUNG_VERDICTS}) and not ({listed})", values | ids


def _count(ledger: Ledger, values: Mapping[str, Any], condition: str = "1 = 1") -> int:
    queries = [
        f"select count(*) from {table} where {old} and {condition.format(table=table)}" for table, old in _OLD.items()
    ]
    return sum(int(ledger.store.rows(query, values)[0][0]) for query in queries)


def _delete(ledger: Ledger, condition: str, values: Mapping[str, Any]) -> int:
    deleted = [
        ledger.store.execute(f"delete from {table} where {old} and {condition.format(table=table)}", values)
        for table, old in _OLD.items()
    ]
    ledger.store.execute(
        f"delete from batch where batch_id in ({_OLD_BATCHES})"
        " and not exists (select 1 from batch_event e where e.batch_id = batch.batch_id)",
        values,
    )
    return sum(deleted)
