"""Writes the warehouse's file anew, so that no page of it still holds what was deleted."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import duckdb

from uploader.errors import ConfigurationError, TryLater
from uploader.warehouse.duckdb import quoted

if TYPE_CHECKING:
    from pathlib import Path

    from uploader.warehouse.profile import Profile


def rewrite(profile: Profile) -> None:
    """Put a new file with the same content into the warehouse's place; at every moment there is a whole one.

    While it is copied, others may read the old file, and nobody can write to it. What is copied is counted before
    the old file goes.
    """
    fresh = profile.path.with_name(profile.path.name + ".new")
    wal = profile.path.with_name(profile.path.name + ".wal")
    _remove(fresh)
    try:
        with duckdb.connect(":memory:") as connection:
            name = profile.path.stem  # as views know it
            connection.execute(f"attach {_literal(profile.path)} as {quoted(name)} (read_only)")
            connection.execute(f'attach {_literal(fresh)} as "{name}.new"')
            connection.execute(f'copy from database {quoted(name)} to "{name}.new"')
            connection.execute(f'checkpoint "{name}.new"')
            if _tally(connection, name) != _tally(connection, f"{name}.new"):
                raise TryLater(f"The copy of the warehouse {profile.path} is not equal to it. The old file stays.")
            connection.execute(f'detach "{name}.new"')
            fresh.chmod(profile.path.stat().st_mode & 0o777)
            _sync(fresh)
            if wal.exists():
                raise TryLater(f"The warehouse {profile.path} is in use by another process. Try again later.")
            fresh.replace(profile.path)
            # What a query that was killed had put aside.
            shutil.rmtree(profile.path.with_name(profile.path.name + ".tmp"), ignore_errors=True)
            _sync(profile.path.parent)
    except duckdb.IOException as error:
        if "could not set lock" in str(error).lower():
            raise TryLater(f"The warehouse {profile.path} is busy: another process has it open. Try again.") from None
        raise ConfigurationError(f"The warehouse {profile.path} cannot be written anew: {_first_line(error)}") from None
    except duckdb.Error as error:
        raise ConfigurationError(f"The warehouse {profile.path} cannot be written anew: {_first_line(error)}") from None
    except OSError as error:
        raise TryLater(f"The warehouse {profile.path} cannot be written anew ({error.strerror}).") from None
    finally:
        _remove(fresh)


def _tally(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str, int]]:
    """Return every table with its rows, and every view."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? order by all", [database]
    ).fetchall()
    counted = [
        (schema, table, connection.execute(f"select count(*) from {quoted(database, schema, table)}").fetchall()[0][0])
        for schema, table in tables
    ]
    views = connection.execute(
        "select schema_name, view_name, -1 from duckdb_views() where database_name = ? and not internal order by all",
        [database],
    ).fetchall()
    return counted + views


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}.wal"):
        path.with_name(name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
