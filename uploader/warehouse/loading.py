"""Load CSV and Parquet files as raw tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

from uploader.errors import ConfigurationError, UsageError
from uploader.warehouse.duckdb import Connection, quoted, table_columns

if TYPE_CHECKING:
    from pathlib import Path

    from uploader.warehouse.profile import Profile

# Every CSV value stays text, so that a postal code keeps its leading zero; staging gives the types. DuckDB would
# guess that lines above a longer row are no data, and that '#' begins a comment: both lose orders without a word.
_READERS: Final = {
    ".csv": "read_csv(?, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', "
    "skip = 0, comment = '')",
    ".parquet": "read_parquet(?)",
}


def files_in(folder: Path) -> list[Path]:
    """Return the files that can be loaded from a folder: one table each, named like the file."""
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _READERS)
    if not files:
        raise UsageError(f"{folder} holds no *.csv and no *.parquet file. Name each file like its table: orders.csv.")
    tables = [path.stem for path in files]
    twice = sorted({name for name in tables if tables.count(name) > 1})
    if twice:
        raise UsageError(f"{folder} holds {', '.join(twice)} both as CSV and as Parquet. Remove one of them.")
    return files


def load_file(connection: Connection, profile: Profile, file: Path, *, append: bool) -> int:
    """Replace the raw table named like ``file``, or add to it, and return how many rows the file has."""
    table = quoted(profile.raw_schema, file.stem)
    source = _READERS[file.suffix.lower()]
    present = table_columns(connection, profile.raw_schema, file.stem)
    try:
        connection.execute(f"create schema if not exists {quoted(profile.raw_schema)}")
        if append and present:
            columns = connection.execute(f"describe select * from {source}", [str(file)]).fetchall()
            unknown = [name for name, *_ in columns if name.lower() not in {column.lower() for column in present}]
            if unknown:
                raise ConfigurationError(
                    f"{file} has columns that the table {file.stem} lacks: {', '.join(unknown)}. "
                    "Load it without --append, or remove them."
                )
            result = connection.execute(f"insert into {table} by name select * from {source}", [str(file)])
        else:
            result = connection.execute(f"create or replace table {table} as select * from {source}", [str(file)])
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        if "sniffing" in reason:
            reason = "a row has more or fewer fields than the header, or a quote is not closed"
        raise ConfigurationError(f"{file} cannot be loaded: {reason}") from None
    rows = result.fetchall()
    return int(rows[0][0]) if rows else 0
