"""Read the rules that say what is shared with whom: the policy seeds, and what each field is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uploader.errors import ConfigurationError
from uploader.warehouse.duckdb import Connection, frame, quoted, table_columns

if TYPE_CHECKING:
    import polars as pl

    from uploader.warehouse.profile import Profile

_TABLES: Final = ("destinations", "event_routes", "field_policy", "field_groups", "audit_field_sources")


def read_sharing(connection: Connection, profile: Profile) -> dict[str, pl.DataFrame]:
    """Return each table that the register is made of, by its name, with its rows in the order of its columns."""
    missing = [name for name in _TABLES if not table_columns(connection, profile.schema, name)]
    if missing:
        raise ConfigurationError(f"The warehouse {profile.path} lacks: {', '.join(missing)}. Run `dbt build`.")
    return {name: frame(connection, f"select * from {quoted(profile.schema, name)} order by all") for name in _TABLES}
