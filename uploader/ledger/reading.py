"""What the sent log says: the states of keys, the story of one, and what changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from uploader.ledger.changes import CHANGES, changes_in_parts
from uploader.ledger.ids import index_ids
from uploader.ledger.lookup import KEY, Successive, in_doubt, states, states_for, states_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uploader.ledger.log import Ledger

__all__ = [
    "CHANGES",
    "Successive",
    "changes_in_parts",
    "field_names",
    "has_acked",
    "history",
    "in_doubt",
    "payload_hashes",
    "states",
    "states_for",
    "states_of",
]


def payload_hashes(ledger: Ledger, destination_id: str, event_ids: Sequence[str]) -> pl.DataFrame:
    """Return ``event_name``, ``event_id`` and ``payload_hash`` of keys in doubt, as the last batch of each has them."""
    condition, values = ledger.listed("e.event_id", "ids", event_ids)
    schema = pl.Schema(
        {"event_name": pl.String, "event_id": pl.String, "payload_hash": pl.Binary, "batch_id": pl.Int64}
    )
    found = ledger.frame(
        "select e.event_name, e.event_id, e.payload_hash, e.batch_id from batch_event e join batch b "
        "on b.batch_id = e.batch_id join destination d on d.destination_no = b.destination_no "
        f"where d.destination_id = :destination and b.state = 'intent' and {condition}",
        {"destination": destination_id} | values,
        schema,
    )
    return found.filter(pl.col("batch_id") == pl.col("batch_id").max().over(KEY)).drop("batch_id")


def has_acked(ledger: Ledger, destination_id: str) -> bool:
    """Tell whether a destination ever took an event."""
    query = (
        "select 1 as one from batch b join destination d on d.destination_no = b.destination_no "
        "where d.destination_id = :destination and b.state = 'acked' limit 1"
    )
    return bool(ledger.frame(query, {"destination": destination_id}, pl.Schema({"one": pl.Int64})).height)


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
        "change_no",
    ]
    schema = pl.Schema(
        dict.fromkeys(columns, pl.String)
        | dict.fromkeys(["at", "settled_at", "fields", "change_no"], pl.Int64)
        | {"hash": pl.Binary}
    )
    index_ids(ledger)
    rows = ledger.frame(
        "select d.destination_id, e.event_name, b.state, b.intent_at, b.settled_at, b.code, b.run_id, f.paths, "
        "e.fields, e.payload_hash, b.change_no from batch_event e join batch b using (batch_id) "
        "join destination d using (destination_no) join field_set f using (field_set_no) where e.event_id = :event_id "
        "union all select d.destination_id, v.event_name, v.state, v.decided_at, v.decided_at, v.reason, "
        "v.decided_by, null, null, null, v.change_no from verdict v "
        "join destination d using (destination_no) where v.event_id = :event_id order by 4, 11",
        {"event_id": event_id},
        schema,
    )
    times = [pl.from_epoch(name, time_unit="us").alias(name) for name in ("at", "settled_at")]
    return rows.with_columns(times).drop("change_no").to_dicts()


def field_names(paths: str, bitmap: int) -> list[str]:
    """Return the names that a bitmap of a batch stands for."""
    return [path for position, path in enumerate(json.loads(paths)) if bitmap >> position & 1]
