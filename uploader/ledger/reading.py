"""What the sent log says: the states of keys, the story of one, counts, and what changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.clock import microseconds
from uploader.ledger.states import STATES, STATES_SCHEMA, empty_states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uploader.ledger.sqlite import Ledger

_KEY: Final = ["event_name", "event_id"]
_VERDICTS: Final = pl.Schema(
    {
        "event_name": pl.String,
        "event_id": pl.String,
        "batch_id": pl.Int64,
        "verdict_id": pl.Int64,
        "state": pl.String,
        "reason": pl.String,
    }
)
_FROMSTATES_SCHEMA: Final = """
    select e.event_name, e.event_id, b.state, b.code, e.first_intent_at, b.batch_id
    from batch b
    join destination d on d.destination_no = b.destination_no
    join batch_event e on e.batch_id = b.batch_id
    where d.destination_id = ?1
"""
_FROM_VERDICTS: Final = """
    select v.event_name, v.event_id, v.batch_id, v.verdict_id, v.state, v.reason
    from verdict v
    join destination d on d.destination_no = v.destination_no
    where d.destination_id = ?1
"""


def _current(batches: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Reduce rows to one per key: its last batch, unless a verdict at or after that batch says otherwise."""
    last = batches.filter(pl.col("batch_id") == pl.col("batch_id").max().over(_KEY))
    if verdicts.is_empty():
        return last
    judged = verdicts.filter(pl.col("verdict_id") == pl.col("verdict_id").max().over(_KEY)).drop("verdict_id")
    joined = last.join(judged, on=_KEY, how="full", coalesce=True, suffix="_judged")
    stands = pl.col("batch_id_judged").is_not_null() & (
        pl.col("batch_id").is_null() | (pl.col("batch_id_judged") >= pl.col("batch_id"))
    )
    return joined.select(
        *_KEY,
        pl.when(stands).then("state_judged").otherwise("state").alias("state"),
        pl.when(stands).then("reason_judged").otherwise("reason").alias("reason"),
        "first_intent_at",
        pl.coalesce("batch_id", "batch_id_judged").alias("batch_id"),
    )


def states(ledger: Ledger | None, destination_id: str, since: datetime) -> pl.DataFrame:
    """Return the current state of every key whose event may be as young as ``since``.

    Columns: ``event_name``, ``event_id``, ``state``, ``reason``, ``first_intent_at`` (microseconds, NULL for
    a key that was never sent), ``batch_id``.
    """
    if ledger is None:
        return empty_states()
    cut = microseconds(since)
    batches = ledger.frame(_FROMSTATES_SCHEMA + " and b.latest_event_at >= ?2", [destination_id, cut], STATES_SCHEMA)
    verdicts = ledger.frame(
        _FROM_VERDICTS
        + " and (v.event_at is null or v.event_at >= ?2"
        + " or v.batch_id in (select batch_id from batch where latest_event_at >= ?2))",
        [destination_id, cut],
        _VERDICTS,
    )
    return _current(batches, verdicts)


def states_of(ledger: Ledger | None, destination_id: str, event_ids: Sequence[str]) -> pl.DataFrame:
    """Return the current state of every key with one of the ids, however old; columns as in `states`."""
    if ledger is None or not event_ids:
        return empty_states()
    wanted = [destination_id, json.dumps(list(event_ids))]
    chosen = " and {}.event_id in (select value from json_each(?2))"
    batches = ledger.frame(_FROMSTATES_SCHEMA + chosen.format("e"), wanted, STATES_SCHEMA)
    verdicts = ledger.frame(_FROM_VERDICTS + chosen.format("v"), wanted, _VERDICTS)
    return _current(batches, verdicts)


def in_doubt(ledger: Ledger, destination_id: str) -> pl.DataFrame:
    """Return the keys that may have been sent without an answer on record; columns as in `states`."""
    ids = ledger.frame(_FROMSTATES_SCHEMA + " and b.state = 'intent'", [destination_id], STATES_SCHEMA)["event_id"]
    return states_of(ledger, destination_id, ids.unique().to_list()).filter(pl.col("state") == "intent")


def has_acked(ledger: Ledger, destination_id: str) -> bool:
    """Tell whether a destination ever took an event."""
    query = (
        "select 1 as one from batch b join destination d on d.destination_no = b.destination_no "
        "where d.destination_id = ? and b.state = 'acked' limit 1"
    )
    return not ledger.frame(query, [destination_id], pl.Schema({"one": pl.Int64})).is_empty()


def counts(ledger: Ledger) -> dict[str, dict[str, int]]:
    """Return per destination id how many keys are in each state, zeros too."""
    counted = {}
    for destination_id in ledger.destinations():
        found = dict(states(ledger, destination_id, datetime.fromtimestamp(0, UTC))["state"].value_counts().rows())
        counted[destination_id] = {state: int(found.get(state, 0)) for state in STATES}
    return counted


def trouble(ledger: Ledger, destination_id: str) -> pl.DataFrame:
    """Return ``state``, ``reason``, ``rows`` and up to five ``examples`` of what a person should look at."""
    found = states(ledger, destination_id, datetime.fromtimestamp(0, UTC))
    bad = found.filter(pl.col("state").is_in(["dead", "expired", "held", "suppressed", "intent"]))
    groups = bad.sort("event_id").group_by("state", "reason")
    return groups.agg(pl.len().alias("rows"), pl.col("event_id").head(5).alias("examples")).sort(
        "state", "reason", nulls_last=True
    )


def changes_since(ledger: Ledger, mark: int) -> pl.DataFrame:
    """Return the current state of every key that changed after the high-water ``mark``.

    Columns as in `states`, and ``destination_id`` and ``updated_at`` (microseconds).
    """
    frames = []
    for destination_id in ledger.destinations():
        touched = ledger.frame(
            "select e.event_id, max(b.intent_at, coalesce(b.settled_at, 0)) from batch_event e "
            "join batch b using (batch_id) join destination d using (destination_no) "
            "where d.destination_id = ?1 and b.change_no > ?2 "
            "union all select v.event_id, v.decided_at from verdict v join destination d using (destination_no) "
            "where d.destination_id = ?1 and v.change_no > ?2",
            [destination_id, mark],
            pl.Schema({"event_id": pl.String, "updated_at": pl.Int64}),
        )
        latest = touched.group_by("event_id").agg(pl.col("updated_at").max())
        current = states_of(ledger, destination_id, latest["event_id"].to_list())
        frames.append(current.join(latest, on="event_id").with_columns(destination_id=pl.lit(destination_id)))
    return pl.concat(frames) if frames else pl.DataFrame()


def history(ledger: Ledger, event_id: str) -> list[dict[str, Any]]:
    """Return what happened to an event id, oldest first, one entry per batch or verdict."""
    columns = [
        "destination_id",
        "event_name",
        "state",
        "at",
        "settled_at",
        "reason",
        "by",
        "paths",
        "fields",
        "hash",
    ]
    schema = pl.Schema(
        dict.fromkeys(columns, pl.String)
        | {"at": pl.Int64, "settled_at": pl.Int64, "fields": pl.Int64, "hash": pl.Binary}
    )
    rows = ledger.frame(
        "select d.destination_id, e.event_name, b.state, b.intent_at, b.settled_at, b.code, b.run_id, f.paths, "
        "e.fields, e.payload_hash from batch_event e join batch b using (batch_id) "
        "join destination d using (destination_no) join field_set f using (field_set_no) where e.event_id = ?1 "
        "union all select d.destination_id, v.event_name, v.state, v.decided_at, v.decided_at, v.reason, "
        "v.decided_by, null, null, null from verdict v join destination d using (destination_no) "
        "where v.event_id = ?1 order by 4",
        [event_id],
        schema,
    )
    times = [pl.from_epoch(name, time_unit="us").alias(name) for name in ("at", "settled_at")]
    return rows.with_columns(times).to_dicts()


def field_names(paths: str, bitmap: int) -> list[str]:
    """Return the names that a bitmap of a batch stands for."""
    return [path for position, path in enumerate(json.loads(paths)) if bitmap >> position & 1]
