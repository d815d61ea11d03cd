"""Connections to a DuckDB warehouse."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import duckdb
import polars as pl

from uploader.errors import ConfigurationError, TryLater

if TYPE_CHECKING:
    from uploader.warehouse.profile import Profile

Connection: TypeAlias = duckdb.DuckDBPyConnection
Sleep: TypeAlias = Callable[[float], None]
Values: TypeAlias = Sequence[Any] | Mapping[str, Any]
"""What a query's parameters stand for, in their order or by name."""

PATIENCE_S: Final = 60.0
"""How long a busy warehouse is waited for."""
_PAUSE_S: Final = 0.5
_LEAST_MEMORY: Final = 512 * 1024 * 1024
"""Bytes that DuckDB may take to read, or as many as the file has: joins need more where there is more to join. By
itself it would keep whatever it has read, up to 80% of the machine's memory."""
_VISITED: Final = "visited"
_SPARE_MEMORY: Final = 256 * 1024 * 1024
"""Bytes for queries that look at a bounded number of rows."""
PART: Final = 32_768
"""How many rows of a long answer are taken at a time."""


@contextmanager
def reading(profile: Profile, sleep: Sleep = time.sleep) -> Iterator[Connection]:
    """Open the warehouse read-only; it must exist. Waits while another process writes to it."""
    _require_file(profile)
    with _opened(profile, read_only=True, sleep=sleep) as connection:
        let_grow(connection, profile)
        yield connection


class Visits:
    """Opens the warehouse read-only again and again, each time for a bounded number of rows; in between it is free.

    All visits share one instance of DuckDB, which takes ten times as long to start as to open a file in. It works in
    the thread that asks: more threads of its own cost more than they bring with so few rows. May be used by several
    threads at a time.
    """

    def __init__(self, profile: Profile, sleep: Sleep = time.sleep) -> None:
        self.profile = profile
        self._sleep = sleep
        self._instance: Connection | None = None
        self._visitors = 0
        self._lock = threading.Lock()

    @contextmanager
    def visit(self) -> Iterator[Connection]:
        """Open the warehouse, which must exist. Waits while another process writes to it."""
        connection = self._enter()
        try:
            connection.execute(f"use {_VISITED}")
            yield connection
        finally:
            connection.close()
            self._leave()

    def _enter(self) -> Connection:
        with self._lock:
            if self._instance is None:
                self._instance = duckdb.connect(config={"threads": 1})
                self._instance.execute("set global TimeZone = 'UTC'")
                keep_small(self._instance)
            instance = self._instance
            if not self._visitors:
                _require_file(self.profile)
                path = str(self.profile.path).replace("'", "''")
                attach = f"attach '{path}' as {_VISITED} (read_only)"
                _patiently(self.profile, lambda: instance.execute(attach), self._sleep)
            self._visitors += 1
            return instance.cursor()

    def _leave(self) -> None:
        with self._lock:
            self._visitors -= 1
            if not self._visitors and self._instance is not None:
                self._instance.execute(f"detach {_VISITED}")


def _require_file(profile: Profile) -> None:
    if not profile.path.is_file():
        raise ConfigurationError(f"There is no warehouse at {profile.path}. Load your tables and run `dbt build`.")


def written_at(profile: Profile) -> str:
    """Name the state of the warehouse: when which files were written last (nanoseconds), and their sizes.

    Where it is the same at two moments at which a connection was open, nothing was written in between.
    """
    files = (profile.path, profile.path.with_name(f"{profile.path.name}.wal"))
    found = [file.stat() for file in files if file.exists()]
    return " ".join(f"{file.st_ino}:{file.st_mtime_ns}:{file.st_size}" for file in found)


def let_grow(connection: Connection, profile: Profile) -> None:
    """Let DuckDB take more memory where there is more to read: for queries that look at all rows at once."""
    connection.execute(f"set memory_limit = '{max(_LEAST_MEMORY, profile.path.stat().st_size)}B'")


def keep_small(connection: Connection) -> None:
    """Let DuckDB take little memory: for queries that look at a bounded number of rows, or count."""
    connection.execute(f"set memory_limit = '{_SPARE_MEMORY}B'")


@contextmanager
def writing(profile: Profile, sleep: Sleep = time.sleep) -> Iterator[Connection]:
    """Open the warehouse for writing, and make the file where there is none."""
    profile.path.parent.mkdir(parents=True, exist_ok=True)
    with _opened(profile, read_only=False, sleep=sleep) as connection:
        yield connection


@contextmanager
def _opened(profile: Profile, *, read_only: bool, sleep: Sleep) -> Iterator[Connection]:
    connection = _patiently(profile, lambda: duckdb.connect(str(profile.path), read_only=read_only), sleep)
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def _patiently(profile: Profile, opening: Callable[[], Connection], sleep: Sleep) -> Connection:
    waited = 0.0
    while True:
        try:
            return opening()
        except duckdb.IOException as error:
            if "could not set lock" not in str(error).lower():
                raise ConfigurationError(f"The warehouse {profile.path} cannot be opened: {error}") from None
            if waited >= PATIENCE_S:
                message = f"The warehouse {profile.path} is busy: another process has it open. Try again later."
                raise TryLater(message) from None
        except duckdb.Error as error:
            raise ConfigurationError(f"The warehouse {profile.path} cannot be opened: {error}") from None
        sleep(_PAUSE_S)
        waited += _PAUSE_S


def frame(connection: Connection, query: str, parameters: Values = ()) -> pl.DataFrame:
    """Return a query's rows as a frame."""
    try:
        return _as_frame(pl.from_arrow(connection.sql(query, params=_plain(parameters)).to_arrow_table()))
    except duckdb.Error as error:
        raise _unanswered(error) from None


def frames(connection: Connection, query: str, rows: int = PART) -> Iterator[pl.DataFrame]:
    """Yield a query's rows in frames of at most ``rows``, at least one, so that they are never all in memory."""
    try:
        reader = connection.sql(query).to_arrow_reader(rows)
        is_empty = True
        for batch in reader:
            is_empty = False
            yield _as_frame(pl.from_arrow(batch))
        if is_empty:
            yield _as_frame(pl.from_arrow(reader.schema.empty_table()))
    except duckdb.Error as error:
        raise _unanswered(error) from None


def first_row(connection: Connection, query: str, parameters: Values = ()) -> tuple[Any, ...] | None:
    """Return a query's first row, or None. The result is read to its end, which the connection asks for."""
    try:
        rows = connection.execute(query, _plain(parameters)).fetchall()
    except duckdb.Error as error:
        raise _unanswered(error) from None
    return rows[0] if rows else None


def _plain(parameters: Values) -> list[Any] | dict[str, Any]:
    return dict(parameters) if isinstance(parameters, Mapping) else list(parameters)


def _as_frame(found: pl.DataFrame | pl.Series) -> pl.DataFrame:
    assert isinstance(found, pl.DataFrame)  # noqa: S101 - a table is no series
    return found


def _unanswered(error: duckdb.Error) -> ConfigurationError:
    return ConfigurationError(f"The warehouse cannot answer: {str(error).splitlines()[0]}. Run `dbt build`.")


def quoted(*names: str) -> str:
    """Quote a table's name, so that no setting can carry SQL."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def table_columns(connection: Connection, schema: str, table: str) -> list[str]:
    """Return the columns of a table in their order, or an empty list where there is no such table."""
    found = connection.execute(
        "select column_name from duckdb_columns() where schema_name = ? and lower(table_name) = lower(?) "
        "and database_name = current_database() order by column_index",
        [schema, table],
    ).fetchall()
    return [name for (name,) in found]
