"""Read the rows due as the quality gate looks at them: all of them, a part at a time, and no wider than it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.errors import QualityGateFailed
from uploader.events import EVENTS, OUTBOX
from uploader.warehouse.duckdb import Connection, frames, quoted
from uploader.warehouse.outbox import EVENTS_TABLE, OUTBOX_TABLE, withhold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from uploader.warehouse.profile import Profile

_WANTED: Final = "wanted_by_the_gate"


def read_judged(
    connection: Connection, profile: Profile, keys: pl.DataFrame, whole: Collection[str]
) -> Iterator[pl.DataFrame]:
    """Yield the rows of ``keys`` (``destination``, ``event_key``) as they leave, in parts, in any order.

    Columns: ``position`` (UInt32, the row's place in ``keys``), all of `OUTBOX`, the columns of `EVENTS` that ``whole``
    names, and of its other columns whether there is a value: true or NULL. What the outbox withholds is NULL.
    Raises `QualityGateFailed` at the end unless every key has come exactly once.
    """
    events, outbox = quoted(profile.schema, EVENTS_TABLE), quoted(profile.schema, OUTBOX_TABLE)
    known = [f"events.{name}" if name in whole else _presence(name) for name in EVENTS]
    decided = [f"outbox.{name}" for name in OUTBOX if name not in EVENTS]
    wanted = keys.select("destination", "event_key").with_row_index("position")
    seen = pl.Series("position", [], dtype=pl.UInt32)
    connection.register(_WANTED, wanted.to_arrow())
    try:
        for part in frames(
            connection,
            f"""
            select wanted.position, {", ".join(known + decided)}
            from {_WANTED} as wanted
            inner join {outbox} as outbox
                on outbox.event_key = wanted.event_key and outbox.destination = wanted.destination
            inner join {events} as events on events.event_key = wanted.event_key
            """,
        ):
            seen = seen.append(part["position"])
            yield withhold(part)
    finally:
        connection.unregister(_WANTED)
    if seen.len() != wanted.height or seen.n_unique() != wanted.height:
        raise QualityGateFailed(
            f"{EVENTS_TABLE} and {OUTBOX_TABLE} do not fit: {wanted.height} rows asked for, {seen.len()} found. "
            "Nothing was sent. event_key must be unique in both: run `dbt build` and look at its tests."
        )


def _presence(name: str) -> str:
    return f"nullif(events.{name} is not null, false) as {name}"
