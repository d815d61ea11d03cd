"""The sent log forgets a person: their keys, with everything that became of them, and every copy that has them.

An event id holds an order id, so it is personal. What is left is a decision that says how many, and never which.
The numbers of changes go on, so no witness takes the shorter log for an older one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.clock import moment
from uploader.ledger.ids import index_ids
from uploader.ledger.reading import field_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from uploader.ledger.log import Ledger

_ARRIVED: Final = (
    "select d.destination_id, e.event_id, b.state, b.intent_at, f.paths, e.fields from batch_event e"
    " join batch b on b.batch_id = e.batch_id join destination d on d.destination_no = b.destination_no"
    " join field_set f on f.field_set_no = b.field_set_no"
    " where b.state in ('acked', 'intent') and e.event_name = :name and {ids}"
)
_SCHEMA: Final = pl.Schema(
    {
        "destination_id": pl.String,
        "event_id": pl.String,
        "state": pl.String,
        "intent_at": pl.Int64,
        "paths": pl.String,
        "fields": pl.Int64,
    }
)
_MINE: Final = "event_name = :name and {ids}"


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a platform has of a person, or may have.

    ``acked`` events arrived, of those ``in_doubt`` nobody knows. ``fields`` names what left with any of them.
    """

    destination_id: str
    acked: int
    in_doubt: int
    first_at: datetime | None
    last_at: datetime | None
    fields: tuple[str, ...]


def arrived(ledger: Ledger, keys: pl.DataFrame) -> list[Arrived]:
    """Return what each destination has of the ``keys`` (``event_name``, ``event_id``)."""
    index_ids(ledger)
    frames = [
        ledger.frame(_ARRIVED.format(ids=ids), values, _SCHEMA).with_columns(event_name=pl.lit(values["name"]))
        for ids, values in _by_name(ledger, keys, "e.event_id")
    ]
    found = pl.concat(frames) if frames else pl.DataFrame()
    return [] if found.is_empty() else [_summed(rows) for rows in found.partition_by("destination_id")]


def _summed(rows: pl.DataFrame) -> Arrived:
    """Count each key once: one that was taken in any request is taken."""
    by_key = rows.group_by("event_name", "event_id").agg((pl.col("state") == "acked").any().alias("is_acked"))
    acked = int(by_key["is_acked"].sum())
    moments = [rows["intent_at"].min(), rows["intent_at"].max()]
    first, last = (moment(value) if isinstance(value, int) else None for value in moments)
    sets = rows.select("paths", "fields").unique(maintain_order=True).rows()
    names = dict.fromkeys(name for paths, bitmap in sets for name in field_names(paths, bitmap))
    return Arrived(rows["destination_id"][0], acked, by_key.height - acked, first, last, tuple(names))


def forget(ledger: Ledger, keys: pl.DataFrame) -> int:
    """Delete every row about the ``keys`` (``event_name``, ``event_id``), and return how many there were.

    They are gone for every reader at once; `uploader.ledger.store.Store.scrub` sees to the disk.
    """
    index_ids(ledger)
    deleted = 0
    with ledger.maintenance():
        for ids, values in _by_name(ledger, keys, "event_id"):
            deleted += _delete(ledger, _MINE.format(ids=ids), values)
    return deleted


def _delete(ledger: Ledger, mine: str, values: dict[str, Any]) -> int:
    """Delete the rows of one event name. A batch counts its events; one without any goes."""
    of_batch = f"select count(*) from batch_event e where e.batch_id = batch.batch_id and {mine}"
    touched = f"batch_id in (select e.batch_id from batch_event e where {mine})"
    ledger.store.execute(f"update batch set events = events - ({of_batch}) where {touched}", values)
    deleted = sum(
        ledger.store.execute(f"delete from {table} where {mine}", values) for table in ("batch_event", "verdict")
    )
    ledger.store.execute(
        "delete from batch where events <= 0 and not exists"
        " (select 1 from batch_event e where e.batch_id = batch.batch_id)",
        {},
    )
    return deleted


def _by_name(ledger: Ledger, keys: pl.DataFrame, column: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield, per event name, the condition that ``column`` is one of its ids, and the values."""
    for (name,), rows in keys.drop_nulls().unique().group_by("event_name", maintain_order=True):
        condition, values = ledger.listed(column, "ids", rows["event_id"].to_list())
        yield condition, {"name": name} | values
