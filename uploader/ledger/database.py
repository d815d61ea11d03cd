"""One SQLite file and the connection to it: queries, transactions, and SQLite's errors in our words."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.errors import ConfigurationError, LedgerRegression, TryLater, UploaderError
from uploader.ledger.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ROWS_AT_ONCE: Final = 500
_INDEX: Final = "batch_event_by_id"
_MAKE_INDEX: Final = f"create index {_INDEX} on batch_event (event_id)"
_SHADOW: Final = (
    "create temp table batch_event as select * from main.batch_event",
    "create index temp.batch_event_by_batch on batch_event (batch_id)",
    f"create index temp.{_INDEX} on batch_event (event_id)",
)
"""A name means a temporary table before it means one of the file."""
_WORTH_IT: Final = 100_000
"""So many new events, or a quarter of those that there are, make it worth while to make the index anew."""
_BROKEN: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# The last one is for macOS, where a plain sync does not reach the disk.
_FOR_WRITING: Final = (
    "pragma synchronous = full",
    "pragma foreign_keys = on",
    "pragma wal_autocheckpoint = 0",
    "pragma fullfsync = on",
)


class SqliteDatabase(Store):
    """The part of a `Store` that is about the database itself; `uploader.ledger.sqlite` has what stands around it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._may_write = False
        self._is_damaged = False
        self._digest: str | None = None

    def __str__(self) -> str:
        return str(self.path)

    def open(self, *, read_only: bool) -> None:
        """See `Store.open`."""
        mode = "ro" if read_only else "rw"
        self._may_write = not read_only
        try:
            address = f"{self.path.absolute().as_uri()}?mode={mode}"
            self._connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
            if not read_only:
                for statement in _FOR_WRITING:
                    self._connection.execute(statement)
                if self._connection.execute("pragma journal_mode").fetchone() != ("wal",):
                    self._digest = None  # a copy that was put in the log's place: this changes its first page
                    self._connection.execute("pragma journal_mode = wal")
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Store.transaction`: one sync of the disk at its end."""
        database = self._database
        try:
            database.execute("begin immediate")
            yield
            database.execute("commit")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                database.execute("rollback")
            if isinstance(error, sqlite3.Error):
                raise self._unwritable(error) from None
            raise

    def execute(self, query: str, values: Mapping[str, Any]) -> int:
        """See `Store.execute`."""
        try:
            return self._database.execute(query, values).rowcount
        except sqlite3.Error as error:
            raise self._unwritable(error) from None

    def execute_many(self, query: str, rows: Iterator[Mapping[str, Any]]) -> None:
        """See `Store.execute_many`."""
        try:
            self._database.executemany(query, rows)
        except sqlite3.Error as error:
            raise self._unwritable(error) from None

    def insert(self, table: str, rows: pl.DataFrame) -> None:
        """See `Store.insert`."""
        row, into = f"({', '.join('?' * rows.width)})", f"insert into {table} ({', '.join(rows.columns)}) values "
        # Value after value, without a tuple for each row: the threads that encode and post wait for that.
        values: list[Any] = [None] * (rows.height * rows.width)
        for place, column in enumerate(rows.iter_columns()):
            values[place :: rows.width] = column.to_list()
        try:
            # Each statement gives way to other threads, and waits for its turn again: so many rows go with one.
            for first in range(0, len(values), _ROWS_AT_ONCE * rows.width):
                some = values[first : first + _ROWS_AT_ONCE * rows.width]
                self._database.execute(into + ", ".join([row] * (len(some) // rows.width)), some)
        except sqlite3.Error as error:
            raise self._unwritable(error) from None

    def expect(self, events: int) -> None:
        """See `Store.expect`: the index by id is left out, as each id in no order writes a page of it once more.

        Measured with a million ids like UUIDs: 43 s for the run with the index, 23 s without, and half a second to make
        it at once.
        """
        known = self.rows("select coalesce(sum(events), 0) from batch", {})[0][0]
        if events >= max(_WORTH_IT, known // 4) and self.finds_ids():
            with self.transaction():
                self.execute(f"drop index {_INDEX}", {})

    def index_ids(self) -> None:
        """See `Store.index_ids`. Who may only read makes a copy of the events that has the index."""
        if self.finds_ids():
            return
        with self.transaction() if self._may_write else self.snapshot():
            try:
                for statement in (_MAKE_INDEX,) if self._may_write else _SHADOW:
                    self._database.execute(statement)
            except sqlite3.Error as error:
                raise self._lacks_room(error) from None

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read what the log says now, and nothing later, until the connection ends."""
        self._database.execute("begin")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk has done it
                self._database.execute("rollback")
            raise

    def finds_ids(self) -> bool:
        """See `Store.finds_ids`."""
        places = ("sqlite_schema", "sqlite_temp_schema")
        query = " union all ".join(f"select 1 from {place} where name = '{_INDEX}'" for place in places)
        return bool(self.rows(query, {}))

    def rows(self, query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """See `Store.rows`."""
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

    def frame(self, query: str, values: Mapping[str, Any], schema: pl.Schema) -> pl.DataFrame:
        """See `Store.frame`: a column is read as one JSON array, in less than half the time that tuples take."""
        names = ", ".join(f'"{name}"' for name in schema)
        arrays = ", ".join(
            f'json_group_array(hex("{name}"))' if kind == pl.Binary else f'json_group_array("{name}")'
            for name, kind in schema.items()
        )
        texts = self.rows(f"with found ({names}) as ({query}) select {arrays} from found", values)[0]
        return pl.DataFrame(
            [_column(name, kind, text) for (name, kind), text in zip(schema.items(), texts, strict=True)]
        )

    def listed(self, column: str, name: str) -> str:
        """See `Store.listed`."""
        return f"{column} in (select value from json_each(:{name}))"

    # ------------------------------------------------------------------ the connection

    def _disconnect(self, *, folding: bool = True) -> None:
        """Close the connection. SQLite then folds the -wal file, unless another connection is open, if only to read."""
        if self._connection is None:
            return
        with contextlib.ExitStack() as stack:
            if not folding:
                with contextlib.suppress(sqlite3.Error):
                    reader = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)
                    stack.callback(reader.close)
                    reader.execute("select 1 from meta").fetchall()
            self._connection.close()
            self._connection = None

    def _wal_bytes(self) -> int:
        wal = self._beside("-wal")
        return wal.stat().st_size if wal.exists() else 0

    @property
    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            raise TryLater(f"The sent log {self.path} is not open any more. No further request is made.")
        return self._connection

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def _unreadable(self, error: sqlite3.Error) -> UploaderError:
        """Tell a busy sent log from a broken one."""
        code = _code(error)
        if code == sqlite3.SQLITE_BUSY:
            return TryLater(f"The sent log {self.path} is in use by another program. Nothing was sent; try again.")
        if code == sqlite3.SQLITE_READONLY and not self._may_write:
            return TryLater(
                f"The sent log {self.path} was left in the middle of a write, and this command may only read it. "
                "The next `uploader send` puts it in order."
            )
        if code not in _BROKEN and self._may_write and self._connection and self._connection.in_transaction:
            return self._unwritable(error)
        if code == sqlite3.SQLITE_FULL:
            return self._lacks_room(error)
        self._is_damaged = True
        return LedgerRegression(
            f"The sent log {self.path} cannot be read ({error}). No further request is made. Restore it from a backup; "
            "do not delete it: events that were sent would be sent again."
        )

    def _unwritable(self, error: sqlite3.Error) -> UploaderError:
        code = _code(error)
        if code in _BROKEN:
            return self._unreadable(error)
        if code == sqlite3.SQLITE_READONLY:
            return ConfigurationError(
                f"The sent log {self.path} may not be written. Check its rights, and its folder's."
            )
        return TryLater(f"The sent log {self.path} cannot be written ({error}). No further request is made.")

    def _lacks_room(self, error: sqlite3.Error) -> UploaderError:
        """SQLite puts what it must sort or copy into temporary files."""
        if _code(error) not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            return self._unwritable(error) if self._may_write else self._unreadable(error)
        less = "" if self._may_write else "; `uploader send` needs less of it"
        return TryLater(
            f"There is no room to look into the sent log {self.path} ({error}). Make as much room for temporary files "
            f"as the log takes, or name a folder that has it in the environment variable TMPDIR{less}."
        )


def _column(name: str, kind: pl.DataType, text: str) -> pl.Series:
    """Return the items of a JSON array as a column; bytes are written as hexadecimal digits there."""
    items = pl.List(pl.String if kind == pl.Binary else kind)
    column: pl.Series = pl.Series([text]).str.json_decode(items)[0].alias(name)
    return column.str.decode("hex") if kind == pl.Binary else column


def _code(error: sqlite3.Error) -> int:
    """Return the first of SQLite's codes for an error, without the details; 0 for one of Python's module."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
