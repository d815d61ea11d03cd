"""The sent log in one SQLite file: durable at each commit, with its manifest and its lock beside it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Any

from uploader.errors import ConfigurationError, LedgerRegression, TryLater, UploaderError
from uploader.ledger.lock import locked
from uploader.ledger.manifest import Manifest
from uploader.ledger.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from uploader.clock import Clock

_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class SqliteStore(Store):
    """See `Store`. Files beside ``path``: ``-wal``, ``-shm``, ``.lock``, ``.manifest.json``, ``.backups/``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        """See `Store.exists`. An empty file is no log."""
        return self.path.is_file() and self.path.stat().st_size > 0

    def locked(self, clock: Clock) -> AbstractContextManager[None]:
        """See `Store.locked`."""
        return locked(self.path, clock)

    def create(self, statements: Sequence[str]) -> None:
        """See `Store.create`: under another name first, so that a crash leaves no half-made log."""
        unfinished = self._beside(".new")
        try:
            unfinished.unlink(missing_ok=True)
            # SQLite gives its -wal and -shm files the mode of the main file.
            os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600))
            with contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as database:
                database.execute("pragma synchronous = full")
                database.execute("begin")
                for statement in statements:
                    database.execute(statement)
                database.execute("commit")
            unfinished.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            message = f"The sent log {self.path} cannot be made ({error.strerror}). See [ledger] path."
            raise ConfigurationError(message) from None
        except sqlite3.Error as error:
            raise TryLater(f"The sent log {self.path} cannot be made ({error}). Nothing was sent.") from None

    def open(self, *, read_only: bool) -> None:
        """See `Store.open`."""
        mode = "ro" if read_only else "rw"
        try:
            address = f"{self.path.absolute().as_uri()}?mode={mode}"
            self._connection = sqlite3.connect(address, uri=True, isolation_level=None)
            if not read_only:
                self._connection.execute("pragma journal_mode = wal")
                self._connection.execute("pragma synchronous = full")
                self._connection.execute("pragma foreign_keys = on")
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

    def close(self) -> None:
        """See `Store.close`; SQLite folds the -wal file into the log."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def set_aside(self, clock: Clock) -> None:
        """See `Store.set_aside`: into ``.backups/``."""
        aside = self._beside(".backups") / f"{clock():%Y%m%dT%H%M%S}"
        aside.mkdir(parents=True, mode=0o700)
        for file in (self.path, self._beside("-wal"), self._beside("-shm")):
            if file.exists():
                file.rename(aside / file.name)

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

    def rows(self, query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """See `Store.rows`."""
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._unreadable(error) from None

    def listed(self, column: str, name: str) -> str:
        """See `Store.listed`."""
        return f"{column} in (select value from json_each(:{name}))"

    def witness(self) -> Manifest | None:
        """See `Store.witness`: the manifest file."""
        return Manifest.read(self.path)

    def testify(self, manifest: Manifest) -> None:
        """See `Store.testify`."""
        manifest.write(self.path)

    def back_up(self, clock: Clock) -> None:
        """See `Store.back_up`: into ``.backups/``, named after the time."""
        folder = self._beside(".backups")
        folder.mkdir(exist_ok=True, mode=0o700)
        copy = folder / f"{clock():%Y%m%dT%H%M%S%f}.sqlite"
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        self.execute("vacuum into :copy", {"copy": str(copy)})
        sync_file(copy)
        sync_folder(folder)

    @property
    def _database(self) -> sqlite3.Connection:
        assert self._connection is not None, "the sent log is not open"  # noqa: S101 - a mistake in our own code
        return self._connection

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def _unreadable(self, error: sqlite3.Error) -> UploaderError:
        """Tell a busy sent log from a broken one."""
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            return TryLater(f"The sent log {self.path} is in use by another program. Nothing was sent; try again.")
        return LedgerRegression(
            f"The sent log {self.path} cannot be read ({error}). Nothing was sent. Restore it from a backup; "
            "do not delete it: events that were sent would be sent again."
        )

    def _unwritable(self, error: sqlite3.Error) -> UploaderError:
        if getattr(error, "sqlite_errorcode", None) in _BROKEN:
            return self._unreadable(error)
        return TryLater(f"The sent log {self.path} cannot be written ({error}). No further request is made.")


def sync_file(path: Path) -> None:
    """Make a file's content safe against a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Make the names in a folder safe against a loss of power."""
    sync_file(path)
