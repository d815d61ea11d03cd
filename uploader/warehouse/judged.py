"""Read the rows due as the quality gate looks at them: all of them, a part at a time, and no wider than it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.errors import QualityGateFailed
from uploader.events import EVENTS, OUTBOX
from uploader.warehouse.duckdb import Connection, frame, frames, quoted
from uploader.warehouse.outbox import EVENTS_TABLE, OUTBOX_TABLE, withheld_names, withhold

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from uploader.warehouse.profile import Profile

_WANTED: Final = "wanted_by_the_gate"


def read_judged(
    connection: Connection, profile: Profile, keys: pl.DataFrame, whole: Collection[str], presence: Collection[str]
) -> Generator[pl.DataFrame]:
    """Yield the rows of ``keys`` (``destination``, ``event_key``) as they leave, in parts, in any order.

    Columns: ``position`` (UInt32, the row's place in ``keys``), all of `OUTBOX`, and all of `EVENTS`: those that
    ``whole`` names as they are; of those that ``presence`` names, or that any of the rows withholds, whether there is a
    value (true or NULL); the others are NULL and not read. What the outbox withholds is NULL.
    Raises `QualityGateFailed` unless every key comes exactly once.
    """
    events = quoted(profile.schema, EVENTS_TABLE)
    wanted = keys.select("destination", "event_key").with_row_index("position")
    seen = pl.Series("position", [], dtype=pl.UInt32)
    connection.register(_WANTED, wanted.to_arrow())
    try:
        # Joined here and not in one query: all of this would have to stand in memory beside the events, as SQL joins.
        decisions = _decisions(connection, profile)
        _require_each_once(decisions["position"], wanted.height)
        asked = {*presence, *withheld_names(decisions)}
        known = ", ".join(f"events.{name}" if name in whole else _presence(name, name in asked) for name in EVENTS)
        for part in frames(
            connection,
            f"select wanted.position, {known} from {_WANTED} as wanted "
            f"inner join {events} as events on events.event_key = wanted.event_key",
        ):
            seen.extend(part["position"])  # copies; `append` would keep all of the part in memory
            yield withhold(part.hstack(decisions[part["position"]].drop("position")))
    finally:
        connection.unregister(_WANTED)
    _require_each_once(seen, wanted.height)


def _decisions(connection: Connection, profile: Profile) -> pl.DataFrame:
    """Return what only the outbox says of the rows, in the order of their ``position``."""
    outbox = quoted(profile.schema, OUTBOX_TABLE)
    decided = ", ".join(f"outbox.{name}" for name in OUTBOX if name not in EVENTS)
    return frame(
        connection,
        f"select wanted.position, {decided} from {_WANTED} as wanted inner join {outbox} as outbox "
        "on outbox.event_key = wanted.event_key and outbox.destination = wanted.destination",
    ).sort("position")


def _presence(name: str, is_read: bool) -> str:  # noqa: FBT001 - a private helper
    return f"{f'nullif(events.{name} is not null, false)' if is_read else 'cast(null as boolean)'} as {name}"


def _require_each_once(positions: pl.Series, rows: int) -> None:
    if positions.len() != rows or positions.n_unique() != rows:
        raise QualityGateFailed(
            f"{EVENTS_TABLE} and {OUTBOX_TABLE} do not fit: {rows} rows asked for, {positions.len()} found. "
            "Nothing was sent. event_key must be unique in both: run `dbt build` and look at its tests."
        )
