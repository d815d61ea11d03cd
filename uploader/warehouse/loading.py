"""Load CSV and Parquet files as raw tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from uploader.errors import ConfigurationError, UsageError
from uploader.warehouse.duckdb import Connection, quoted, table_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from uploader.warehouse.profile import Profile

# Every CSV value stays text, so that a postal code keeps its leading zero; staging gives the types. DuckDB would
# guess that lines above a longer row are no data, and that '#' begins a comment: both lose orders without a word. A
# folder like day=2026-11-20 is no column.
_READERS: Final = {
    ".csv": "read_csv(?, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', "
    "skip = 0, comment = '', hive_partitioning = false)",
    ".parquet": "read_parquet(?, hive_partitioning = false)",
}


RAW_TABLES: Final = frozenset(
    {
        *("orders", "order_lines", "sessions", "consent", "payments"),
        *("refunds", "leads", "subscriptions", "web_events", "app_events", "messages", "suppressions"),
    }
)
"""What the models read; `macros/staging/raw_contract.sql` has their columns."""


def table_of(file: Path) -> str:
    """Return the table that a file is named like; case does not matter."""
    return file.stem.lower()


def files_in(folder: Path) -> list[Path]:
    """Return the files that can be loaded from a folder: one table each, named like the file."""
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _READERS)
    if not files:
        raise UsageError(f"{folder} holds no *.csv and no *.parquet file. Name each file like its table: orders.csv.")
    tables = [table_of(path) for path in files]
    twice = sorted({name for name in tables if tables.count(name) > 1})
    if twice:
        raise UsageError(f"{folder} holds {', '.join(twice)} both as CSV and as Parquet. Remove one of them.")
    for file in files:
        _refuse_unreadable(file)
    return files


def load_files(connection: Connection, profile: Profile, files: Sequence[Path], *, append: bool) -> dict[str, int]:
    """Load all files or none, and return how many rows each table got."""
    connection.execute("begin").fetchall()
    try:
        loaded = {table_of(file): load_file(connection, profile, file, append=append) for file in files}
        connection.execute("commit").fetchall()
    except BaseException:
        connection.execute("rollback").fetchall()
        raise
    return loaded


def _refuse_unreadable(file: Path) -> None:
    """Raise for a CSV file that would be loaded as something else than it is."""
    if file.suffix.lower() != ".csv":
        return
    with file.open("rb") as content:
        begin = content.read(100_000)
    header = begin.splitlines()[0] if begin.strip() else b""
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigurationError(f"{file} is UTF-16. Save it as UTF-8.")
    if not header:
        raise ConfigurationError(f"{file} is empty: it needs at least a line with the names of its columns.")
    other = next((mark for mark in (b";", b"\t", b"|") if mark in header and b"," not in header), None)
    if other:
        shown = other.decode().replace("\t", "tabs")
        raise ConfigurationError(f"{file} separates its columns with {shown}. Export it with commas.")


def load_file(connection: Connection, profile: Profile, file: Path, *, append: bool) -> int:
    """Replace the raw table named like ``file``, or add to it, and return how many rows the file has."""
    name, misfits = table_of(file), ""
    table = quoted(profile.raw_schema, name)
    source, read = _READERS[file.suffix.lower()], _literal(file)
    present = table_columns(connection, profile.raw_schema, name)
    try:
        connection.execute(f"create schema if not exists {quoted(profile.raw_schema)}").fetchall()
        if append and present:
            there, here = _types(connection, table, []), _types(connection, source, [read])
            unknown = [column for column in here if column not in there]
            if unknown:
                raise ConfigurationError(
                    f"{file} has columns that the table {name} lacks: {', '.join(unknown)}. "
                    "Load it without --append, or remove them."
                )
            misfits = ", ".join(f"{key} ({there[key]}, here {here[key]})" for key in here if here[key] != there[key])
            result = connection.execute(f"insert into {table} by name select * from {source}", [read])
        else:
            result = connection.execute(f"create or replace table {table} as select * from {source}", [read])
        rows = result.fetchall()
    except (duckdb.ConversionException, duckdb.OutOfRangeException):
        # Not in DuckDB's own words: they repeat the value.
        raise ConfigurationError(
            f"{file} cannot be loaded: a value does not fit its column's type in the table {name}. Of another type "
            f"there: {misfits or 'none'}. Load it without --append, or correct it."
        ) from None
    except duckdb.Error as error:
        raise ConfigurationError(f"{file} cannot be loaded: {_reason(error)}.") from None
    return int(rows[0][0]) if rows else 0


def _literal(file: Path) -> str:
    """Return a path that DuckDB takes as it is written, and not for a pattern."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(file))


def _types(connection: Connection, source: str, values: Sequence[str]) -> dict[str, str]:
    """Return the columns of a table or a file, in small letters, with their types."""
    found = connection.execute(f"describe select * from {source}", list(values)).fetchall()
    return {column.lower(): kind for column, kind, *_ in found}


def _reason(error: duckdb.Error) -> str:
    """Say in a person's words what DuckDB minds about a file."""
    text = str(error)
    if "utf-8" in text.lower() or "unicode" in text.lower():
        return "it is not UTF-8 text; save it as UTF-8"
    if "sniffing" in text:
        return "a row has more or fewer fields than the header, or a quote is not closed"
    return text.splitlines()[0]
