"""At once, for few rows, what the product does a part at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

from uploader.delivery.books import Books, Tally
from uploader.delivery.planning import MARKS, Plan, Planner
from uploader.delivery.surroundings import Counter
from uploader.delivery.targets import Target
from uploader.diff import KEY, Lane
from uploader.ledger import Ledger, reading
from uploader.quality.verdict import Passed
from uploader.settings import QualitySettings


def plan(
    target: Target, outbox: pl.DataFrame, ledger: Ledger | None, now: datetime, since: datetime | None = None
) -> Plan:
    """Compare outbox rows, which have their ``row_digest``, with the sent log."""
    keyed = pl.struct("destination", *KEY).is_duplicated() | pl.struct("destination", "event_key").is_duplicated()
    nameless = pl.col("is_sendable") & pl.any_horizontal(pl.col("event_id", "event_at", "expires_at").is_null())
    planner = Planner(target, outbox.filter(keyed | nameless), ledger, now, since)
    planner.add(outbox, lambda _destination_id, rows: rows["row_digest"])
    return planner.finish()


def rows_of(made: Plan) -> pl.DataFrame:
    """Return all rows of a plan with their standing."""
    return pl.concat(made.standing)


def due_of(made: Plan) -> pl.DataFrame:
    """Return all rows that a plan says are due, in order."""
    return pl.concat(frame for lane in Lane for frame in made.lanes[lane])


def whole(made: Plan, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what a plan says is due of ``rows``, in order and with its marks, as `send` reads it."""
    marked = due_of(made).select("event_key", *MARKS)
    return marked.join(rows, on="event_key", maintain_order="left")


def close_books(rows: pl.DataFrame, states: pl.DataFrame, counter: Counter) -> Books:
    """Count where each of the rows ended."""
    tally = Tally()
    tally.add(rows, states)
    return tally.close(counter)


def changes_since(ledger: Ledger, mark: int) -> pl.DataFrame:
    """Return the current state of every key that changed after the high-water mark."""
    return pl.concat([pl.DataFrame(schema=reading.CHANGES), *reading.changes_in_parts(ledger, mark)])


def accepts(directory: Path, rows: Mapping[str, pl.DataFrame], thresholds: QualitySettings) -> bool:
    """Say whether a passing verdict in a folder covers all these rows, under these thresholds."""
    passed = Passed.read(directory, thresholds)
    return passed is not None and all(passed.covers(name, wanted) for name, wanted in rows.items())
