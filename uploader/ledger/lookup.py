"""The current states of keys: of all of a window of time, of single ids, of many keys a part after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.clock import microseconds, moment
from uploader.ledger.ids import index_ids
from uploader.ledger.states import FINAL, QUARANTINE, STATES_SCHEMA, empty_states

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from uploader.ledger.log import Ledger

KEY: Final = ["event_name", "event_id"]
_FEW: Final = 10_000
LATEST: Final = 2**63 - 1
_BATCHES: Final = pl.Schema(
    {name: kind for name, kind in STATES_SCHEMA.items() if name not in ("not_before", "quarantines")}
)
_VERDICTS: Final = pl.Schema(
    {
        "event_name": pl.String,
        "event_id": pl.String,
        "batch_id": pl.Int64,
        "verdict_id": pl.Int64,
        "state": pl.String,
        "reason": pl.String,
        "not_before": pl.Int64,
    }
)
_FROM_BATCHES: Final = """
    select e.event_name, e.event_id, b.state, b.code, e.first_intent_at, b.batch_id, e.event_at
    from batch b
    join destination d on d.destination_no = b.destination_no
    join batch_event e on e.batch_id = b.batch_id
    where d.destination_id = :destination
"""
_FROM_VERDICTS: Final = """
    select v.event_name, v.event_id, v.batch_id, v.verdict_id, v.state, v.reason, v.not_before
    from verdict v
    join destination d on d.destination_no = v.destination_no
    where d.destination_id = :destination
"""


def _current(batches: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Reduce rows to one per key: its last batch, unless a verdict at or after that batch says otherwise."""
    last = batches.filter(pl.col("batch_id") == pl.col("batch_id").max().over(KEY))
    if verdicts.is_empty():
        nothing = pl.lit(None, pl.Int64).alias("not_before"), pl.lit(0, pl.Int64).alias("quarantines")
        return last.with_columns(nothing).select(STATES_SCHEMA.names())
    quarantined = (pl.col("reason") == QUARANTINE).sum().over(KEY).cast(pl.Int64)
    judged = verdicts.with_columns(quarantined.alias("quarantines"))
    judged = judged.filter(pl.col("verdict_id") == pl.col("verdict_id").max().over(KEY)).drop("verdict_id")
    joined = last.join(judged, on=KEY, how="full", coalesce=True, suffix="_judged")
    stands = pl.col("batch_id_judged").is_not_null() & (
        pl.col("batch_id").is_null() | (pl.col("batch_id_judged") >= pl.col("batch_id"))
    )
    return joined.select(
        *KEY,
        pl.when(stands).then("state_judged").otherwise("state").alias("state"),
        pl.when(stands).then("reason_judged").otherwise("reason").alias("reason"),
        "first_intent_at",
        pl.coalesce("batch_id", "batch_id_judged").alias("batch_id"),
        pl.when(stands).then("not_before").alias("not_before"),
        pl.col("quarantines").fill_null(0),
        "known_at",
    )


def states(
    ledger: Ledger | None,
    destination_id: str,
    since: datetime,
    until: datetime | None = None,
    spans: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the current state of every key whose event may be as young as ``since``, and as old as ``until``.

    Columns: ``event_name``, ``event_id``, ``state``, ``reason``, ``first_intent_at`` (microseconds, NULL for
    a key that was never sent), ``batch_id``, ``not_before`` (microseconds, of a key in quarantine), ``quarantines``
    (how often it was put there), ``known_at`` (microseconds, the event's time when it was sent). ``spans``, as
    `batch_spans` returns them, save looking into batches that have nothing so old.
    """
    if ledger is None:
        return empty_states()
    last = LATEST if until is None else microseconds(until)
    first_batch, last_batch = _numbers(spans, microseconds(since), last)
    values = {"destination": destination_id, "cut": microseconds(since), "last": last}
    values |= {"first_batch": first_batch, "last_batch": last_batch}
    in_batch = "latest_event_at >= :cut and {}batch_id between :first_batch and :last_batch"
    batches = ledger.frame(f"{_FROM_BATCHES} and b.{in_batch.format('b.')} and e.event_at <= :last", values, _BATCHES)
    verdicts = ledger.frame(
        _FROM_VERDICTS
        + " and (v.event_at is null or v.event_at between :cut and :last"
        + f" or v.batch_id in (select batch_id from batch where {in_batch.format('')}))",
        values,
        _VERDICTS,
    )
    found = _current(batches, verdicts)
    # Of a key, a part may lie outside of the window: its last batch, or the batch that a verdict is about.
    is_open = ~pl.col("state").is_in(FINAL) | (pl.col("known_at").is_null() & (pl.col("batch_id") > 0))
    open_ids = found.filter(is_open)["event_id"].unique().to_list()
    whole = states_of(ledger, destination_id, open_ids)
    return pl.concat([found.join(whole, on=KEY, how="anti"), whole])


def batch_spans(ledger: Ledger, destination_id: str, since: datetime) -> pl.DataFrame:
    """Return each batch with events as young as ``since``: ``batch_id``, ``latest``, ``earliest`` (microseconds)."""
    schema = pl.Schema({"batch_id": pl.Int64, "latest": pl.Int64, "earliest": pl.Int64})
    query = (
        "select b.batch_id, b.latest_event_at, coalesce(b.earliest_event_at, 0) from batch b join destination d on "
        "d.destination_no = b.destination_no where d.destination_id = :destination and b.latest_event_at >= :cut"
    )
    return ledger.frame(query, {"destination": destination_id, "cut": microseconds(since)}, schema)


def _numbers(spans: pl.DataFrame | None, since: int, until: int) -> tuple[int, int]:
    """Return between which batches those lie that have events of a window (microseconds)."""
    if spans is None:
        return 0, LATEST
    found = spans.filter((pl.col("latest") >= since) & (pl.col("earliest") <= until))["batch_id"]
    first, last = found.min(), found.max()
    return (first, last) if isinstance(first, int) and isinstance(last, int) else (1, 0)


def states_of(ledger: Ledger | None, destination_id: str, event_ids: Sequence[str]) -> pl.DataFrame:
    """Return the current state of every key with one of the ids, however old; columns as in `states`."""
    if ledger is None or not event_ids:
        return empty_states()
    index_ids(ledger)
    destination = {"destination": destination_id}
    frames = []
    for query, letter, schema in ((_FROM_BATCHES, "e", _BATCHES), (_FROM_VERDICTS, "v", _VERDICTS)):
        condition, values = ledger.listed(f"{letter}.event_id", "ids", event_ids)
        frames.append(ledger.frame(f"{query} and {condition}", destination | values, schema))
    return _current(*frames)


def states_for(
    ledger: Ledger | None,
    destination_id: str,
    keys: pl.DataFrame,
    spans: pl.DataFrame | None = None,
    *,
    at_other_times: bool = True,
) -> pl.DataFrame:
    """Return the current states of ``keys``, as far as they have one; columns as in `states`, where ``spans`` is told.

    ``keys``: ``event_name``, ``event_id`` and ``event_at`` (microseconds, may be NULL). Many are found by the window of
    their times, which is five times as fast as to look each of them up. Unless ``at_other_times``, of many only those
    need be found that the sent log knows with the time that they have here.
    """
    oldest, youngest = keys["event_at"].min(), keys["event_at"].max()
    is_few = keys.height < _FEW and (at_other_times or ledger is None or ledger.store.finds_ids())
    if ledger is None or is_few or not isinstance(oldest, int) or not isinstance(youngest, int):
        return states_of(ledger, destination_id, keys["event_id"].drop_nulls().unique().to_list()).join(
            keys, on=KEY, how="semi"
        )
    found = states(ledger, destination_id, moment(oldest), moment(youngest), spans).join(keys, on=KEY, how="semi")
    if not at_other_times:
        return found
    # Those whose time was another one when they were sent may lie outside.
    rest = keys.join(found, on=KEY, how="anti")["event_id"].drop_nulls().unique().to_list()
    return pl.concat([found, states_of(ledger, destination_id, rest).join(keys, on=KEY, how="semi")])


class Successive:
    """The states of many keys, a part of them after the other, in the order of time."""

    def __init__(self, ledger: Ledger | None, destination_id: str) -> None:
        self._ledger, self._destination_id = ledger, destination_id
        self._parts = 0
        self._spans: pl.DataFrame | None = None

    def of(self, keys: pl.DataFrame, *, at_other_times: bool = True) -> pl.DataFrame:
        """Return the states of some keys; see `states_for`."""
        oldest = keys["event_at"].min()
        # Where all keys are one part, no time is lost with looking where the batches lie.
        if self._parts > 0 and self._spans is None and self._ledger and keys.height >= _FEW and isinstance(oldest, int):
            self._spans = batch_spans(self._ledger, self._destination_id, moment(oldest))
        self._parts += 1
        return states_for(self._ledger, self._destination_id, keys, self._spans, at_other_times=at_other_times)


def in_doubt(ledger: Ledger, destination_id: str) -> pl.DataFrame:
    """Return the keys that may have been sent without an answer on record; columns as in `states`."""
    query = _FROM_BATCHES + " and b.state = 'intent'"
    ids = ledger.frame(query, {"destination": destination_id}, _BATCHES)["event_id"]
    return states_of(ledger, destination_id, ids.unique().to_list()).filter(pl.col("state") == "intent")
