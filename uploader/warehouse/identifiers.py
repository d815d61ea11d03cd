"""Read how good the raw identifiers are: counts, never values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uploader.errors import ConfigurationError
from uploader.warehouse.duckdb import Connection, frame, quoted, table_columns

if TYPE_CHECKING:
    import polars as pl

    from uploader.warehouse.profile import Profile

IDENTIFIERS_TABLE: Final = "audit_identifiers"


def read_identifiers(connection: Connection, profile: Profile) -> pl.DataFrame:
    """Return ``source_table``, ``field``, ``measure`` and ``event_count``; a measure of zero has no row."""
    if not table_columns(connection, profile.schema, IDENTIFIERS_TABLE):
        missing = f"{profile.schema}.{IDENTIFIERS_TABLE}"
        raise ConfigurationError(f"The warehouse {profile.path} lacks the table {missing}. Run `dbt build`.")
    table = quoted(profile.schema, IDENTIFIERS_TABLE)
    columns = "source_table, field, measure, event_count"
    return frame(connection, f"select {columns} from {table} order by source_table, field, measure")
