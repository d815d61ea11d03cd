"""The warehouse's copy of the sent log, so that SQL can join it and its loss is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb
import polars as pl

from uploader.errors import ConfigurationError
from uploader.warehouse.duckdb import Connection, first_row, quoted, table_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uploader.warehouse.profile import Profile

TABLE: Final = "sent_log"
META: Final = "sent_log_meta"
_CHANGES: Final = "temp.changes_of_the_sent_log"
_COLUMNS: Final = (
    "(destination varchar, destination_id varchar, event_name varchar, event_id varchar, state varchar, "
    "reason varchar, first_intent_at timestamp, updated_at timestamp)"
)
_MEMORY: Final = "256MB"
"""What DuckDB may take to write; by itself it would take most of the machine's."""


def read_publication(connection: Connection, profile: Profile) -> tuple[str, int] | None:
    """Return whose copy the warehouse holds (ledger id) and how far it has come, or None without one."""
    if not table_columns(connection, profile.schema, META):
        return None
    found = first_row(connection, f"select ledger_id, high_water from {quoted(profile.schema, META)}")
    return (str(found[0]), int(found[1])) if found else None


def publish(
    connection: Connection, profile: Profile, changes: Iterable[pl.DataFrame], ledger_id: str, high_water: int
) -> None:
    """Upsert the keys that changed. ``changes``: parts as of `uploader.ledger.reading.changes_in_parts`."""
    try:
        connection.execute(f"set memory_limit = '{_MEMORY}'")
        connection.execute(f"create schema if not exists {quoted(profile.schema)}")
        _write(connection, profile, changes, ledger_id, high_water)
    except duckdb.Error as error:
        first_line = str(error).splitlines()[0]
        raise ConfigurationError(f"{TABLE} or {META} cannot be written: {first_line}") from None


def _write(
    connection: Connection, profile: Profile, changes: Iterable[pl.DataFrame], ledger_id: str, high_water: int
) -> None:
    table, meta = quoted(profile.schema, TABLE), quoted(profile.schema, META)
    _collect(connection, changes)
    connection.execute("begin")
    connection.execute(f"create table if not exists {table} {_COLUMNS}")
    connection.execute(f"create table if not exists {meta} (ledger_id varchar, high_water bigint)")
    connection.execute(
        f"delete from {table} as old using {_CHANGES} as new where old.destination_id = new.destination_id "
        "and old.event_name = new.event_name and old.event_id = new.event_id"
    )
    connection.execute(f"insert into {table} by name select * from {_CHANGES}")
    connection.execute(f"delete from {meta}")
    connection.execute(f"insert into {meta} values (?, ?)", [ledger_id, high_water])
    connection.execute("commit")


def _collect(connection: Connection, changes: Iterable[pl.DataFrame]) -> None:
    """Put all parts into a table of this connection alone, which DuckDB writes to the disk where they are many."""
    connection.execute(f"create or replace temp table {_CHANGES} {_COLUMNS}")
    for part in changes:
        connection.register("part", _published(part).to_arrow())
        connection.execute(f"insert into {_CHANGES} by name select * from part")
        connection.unregister("part")


def _published(changes: pl.DataFrame) -> pl.DataFrame:
    return changes.select(
        pl.col("destination_id").str.split(":").list.first().alias("destination"),
        "destination_id",
        "event_name",
        "event_id",
        "state",
        "reason",
        pl.from_epoch("first_intent_at", time_unit="us").alias("first_intent_at"),
        pl.from_epoch("updated_at", time_unit="us").alias("updated_at"),
    )
