"""How young the raw tables are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uploader.errors import ConfigurationError
from uploader.warehouse.duckdb import Connection, first_row, quoted, table_columns

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.warehouse.profile import Profile

_TIMES: Final = {"orders": "updated_at", "sessions": "started_at", "consent": "recorded_at"}


def newest(connection: Connection, profile: Profile) -> dict[str, datetime | None]:
    """Return the newest readable time (UTC without a zone) of each raw table, None where there is none."""
    found = {}
    for table, column in _TIMES.items():
        present = [name.lower() for name in table_columns(connection, profile.raw_schema, table)]
        found[table] = _newest(connection, profile, table, column) if column in present else None
    return found


def _newest(connection: Connection, profile: Profile, table: str, column: str) -> datetime | None:
    name = quoted(profile.raw_schema, table)
    read = f"try_cast(cast({column} as varchar) as timestamptz) at time zone 'UTC'"
    # What staging reads: a mistyped year is no time.
    query = f"select max({read}) from {name} where {read} >= timestamp '1970-01-01' and {read} < timestamp '2200-01-01'"
    try:
        row = first_row(connection, query)
    except ConfigurationError:
        return None
    return row[0] if row else None
