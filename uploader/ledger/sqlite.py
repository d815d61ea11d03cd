"""The sent log in one SQLite file.

Write-ahead: an intent is on the disk before the first byte leaves, so that after a crash it is known what
may have arrived. The current state of a key is its last batch's, unless a later verdict says otherwise.
"""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.clock import microseconds
from uploader.errors import ConfigurationError, LedgerRegression, TryLater, UploaderError
from uploader.ledger.manifest import Manifest
from uploader.ledger.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from uploader.clock import Clock
    from uploader.ledger.states import Intent

SCHEMA_VERSION: Final = 1


def _unusable(path: Path, error: sqlite3.Error) -> UploaderError:
    """Tell a busy sent log from a broken one."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return TryLater(f"The sent log {path} is in use by another program. Nothing was sent; try again later.")
    return LedgerRegression(
        f"The sent log {path} cannot be read ({error}). Nothing was sent. Restore it from a backup; "
        "do not delete it: events that were sent would be sent again."
    )


class Ledger:
    """The sent log, open. Make one with `uploader.ledger.guarded`, which proves that it is the right one."""

    def __init__(self, path: Path, clock: Clock, run_id: str, *, create: bool, read_only: bool = False) -> None:
        self.path = path
        self.run_id = run_id
        self._clock = clock
        self._read_only = read_only
        try:
            if create:
                # SQLite gives its -wal and -shm files the mode of the main file.
                os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
            mode = "ro" if read_only else "rw"
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
            self._open(create=create)
        except OSError as error:
            message = f"The sent log {path} cannot be made ({error.strerror}). See [ledger] path."
            raise ConfigurationError(message) from None
        except sqlite3.Error as error:
            raise _unusable(path, error) from None

    def _open(self, *, create: bool) -> None:
        if not self._read_only:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.execute("pragma foreign_keys = on")
        if create:
            self._create()
        version = int(self._meta("schema_version") or 0)
        if version > SCHEMA_VERSION:
            message = f"The sent log {self.path} was written by a newer version (schema {version}). Update."
            raise ConfigurationError(message)
        self.ledger_id = self._meta("ledger_id") or ""
        self.begun_at = int(self._meta("begun_at") or 0)
        if not self.ledger_id:
            raise sqlite3.DatabaseError("it has no identity")
        highest = "select max(n) from (select max(change_no) n from batch union all select max(change_no) from verdict)"
        self.high_water = self._db.execute(highest).fetchone()[0] or 0

    def _create(self) -> None:
        schema = resources.files("uploader.ledger").joinpath("schema.sql").read_text(encoding="utf-8")
        begun = str(microseconds(self._clock()))
        rows = [("schema_version", str(SCHEMA_VERSION)), ("ledger_id", uuid.uuid4().hex), ("begun_at", begun)]
        values = ", ".join(f"('{key}', '{value}')" for key, value in rows)
        self._db.executescript(f"begin; {schema}; insert into meta values {values}; commit;")
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Close the file; SQLite folds the -wal file into it."""
        self._db.close()

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("select value from meta where key = ?", [key]).fetchone()
        return str(row[0]) if row else None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        before = self.high_water
        try:
            self._db.execute("begin immediate")
            yield self._db
            self._db.execute("commit")
        except BaseException as error:
            self.high_water = before
            if self._db.in_transaction:
                self._db.execute("rollback")
            if not isinstance(error, sqlite3.Error):
                raise
            if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise _unusable(self.path, error) from None
            message = f"The sent log {self.path} cannot be written ({error}). No further request is made."
            raise TryLater(message) from None

    def _next_change(self) -> int:
        self.high_water += 1
        return self.high_water

    def _destination_no(self, destination_id: str) -> int:
        self._db.execute("insert or ignore into destination (destination_id) values (?)", [destination_id])
        query = "select destination_no from destination where destination_id = ?"
        return int(self._db.execute(query, [destination_id]).fetchone()[0])

    def _field_set_no(self, paths: Sequence[str]) -> int:
        text = json.dumps(list(paths))
        self._db.execute("insert or ignore into field_set (paths) values (?)", [text])
        return int(self._db.execute("select field_set_no from field_set where paths = ?", [text]).fetchone()[0])

    # ------------------------------------------------------------------ writing

    def intend(self, intent: Intent) -> int:
        """Put an intent on the disk and return its batch id. Only then may its request be sent."""
        events, now = intent.events, microseconds(self._clock())
        with self._transaction() as db:
            row = (
                self._destination_no(intent.destination_id),
                self.run_id,
                self._field_set_no(intent.paths),
                microseconds(intent.outbox_as_of),
                now,
                events["event_at"].max(),
                events.height,
                State.INTENT,
                self._next_change(),
            )
            batch_id = db.execute(
                "insert into batch (destination_no, run_id, field_set_no, outbox_as_of, intent_at, latest_event_at,"
                " events, state, change_no) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            ).lastrowid
            columns = (
                "event_name",
                "event_id",
                "event_at",
                "first_intent_at",
                "consent_at",
                "payload_hash",
                "fields",
            )
            filled = events.with_columns(pl.col("first_intent_at").fill_null(now)).select(columns)
            query = f"insert into batch_event values ({batch_id}, ?, ?, ?, ?, ?, ?, ?)"
            db.executemany(query, filled.iter_rows())
        Manifest.of(self.ledger_id, self.high_water, SCHEMA_VERSION).write(self.path)
        assert batch_id is not None  # noqa: S101 - an insert has a row id
        return batch_id

    def settle(self, batch_id: int, state: State, code: str | None = None, trace_id: str | None = None) -> None:
        """Record what became of a batch: ``acked``, ``released``, or ``dead`` for a single refused event."""
        with self._transaction() as db:
            db.execute(
                "update batch set state = ?, code = ?, trace_id = ?, settled_at = ?, change_no = ? where batch_id = ?",
                [state, code, trace_id, microseconds(self._clock()), self._next_change(), batch_id],
            )

    def judge(self, destination_id: str, keys: pl.DataFrame, state: State, decided_by: str | None = None) -> None:
        """Record a verdict on single keys.

        ``keys`` has ``event_name``, ``event_id``, ``event_at`` (microseconds or NULL), ``reason`` and
        ``was_in_doubt``.
        """
        if keys.is_empty():
            return
        now, who = microseconds(self._clock()), decided_by or self.run_id
        columns = ("event_name", "event_id", "event_at", "reason", "was_in_doubt")
        with self._transaction() as db:
            number = self._destination_no(destination_id)
            for name, event_id, event_at, reason, in_doubt in keys.select(columns).iter_rows():
                db.execute(
                    "insert into verdict (destination_no, event_name, event_id, event_at, batch_id, state, reason,"
                    " was_in_doubt, decided_at, decided_by, change_no) select ?1, ?2, ?3, ?4, coalesce("
                    " (select max(e.batch_id) from batch_event e join batch b on b.batch_id = e.batch_id"
                    "  where e.event_id = ?3 and e.event_name = ?2 and b.destination_no = ?1), 0),"
                    " ?5, ?6, ?7, ?8, ?9, ?10",
                    [
                        number,
                        name,
                        event_id,
                        event_at,
                        state,
                        reason,
                        int(in_doubt),
                        now,
                        who,
                        self._next_change(),
                    ],
                )
        Manifest.of(self.ledger_id, self.high_water, SCHEMA_VERSION).write(self.path)

    def watch(self, destination_id: str, since: datetime) -> None:
        """Remember from when on it is known what becomes of a destination's events; see `watched_from`."""
        with self._transaction() as db:
            number = self._destination_no(destination_id)
            db.execute(
                "update destination set watched_from = ? where destination_no = ?", [microseconds(since), number]
            )

    def watched_from(self, destination_id: str) -> datetime | None:
        """Return since when this log would know of an event that expired unsent; None before a first run."""
        row = self._row("select watched_from from destination where destination_id = ?", [destination_id])
        return datetime.fromtimestamp(row[0] / 1_000_000, UTC) if row and row[0] is not None else None

    def pause(self, destination_id: str, until: datetime | None) -> None:
        """Remember until when the platform asked to be left alone; None clears it."""
        with self._transaction() as db:
            number = self._destination_no(destination_id)
            moment = microseconds(until) if until else None
            db.execute("update destination set not_before = ? where destination_no = ?", [moment, number])

    # ------------------------------------------------------------------ reading

    def paused_until(self, destination_id: str) -> datetime | None:
        """Return until when the platform asked to be left alone."""
        row = self._row("select not_before from destination where destination_id = ?", [destination_id])
        return datetime.fromtimestamp(row[0] / 1_000_000, UTC) if row and row[0] else None

    def destinations(self) -> list[str]:
        """Return the ids of all destinations that the log knows."""
        schema = pl.Schema({"destination_id": pl.String})
        found = self.frame("select destination_id from destination order by 1", [], schema)
        return found["destination_id"].to_list()

    def _row(self, query: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
        try:
            row: tuple[Any, ...] | None = self._db.execute(query, parameters).fetchone()
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from None
        return row

    def frame(self, query: str, parameters: Sequence[Any], schema: pl.Schema) -> pl.DataFrame:
        """Return a query's rows as a frame of the given schema."""
        try:
            rows = self._db.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from None
        return pl.DataFrame(rows, schema=schema, orient="row")
