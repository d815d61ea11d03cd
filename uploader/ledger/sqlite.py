"""The sent log in one SQLite file: durable at each commit, with its manifest and its lock beside it.

During a run the file itself does not change: all changes stand in the -wal file, whose pages SQLite guards by
checksums of its own, and the manifest has the digest of the file. So a flipped bit shows in either of them. The -wal
file is folded into the log at the end of a run, or when it has grown long.
"""

from __future__ import annotations

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from uploader.errors import ConfigurationError, LedgerRegression, TryLater, UploaderError
from uploader.ledger import copies
from uploader.ledger.database import SqliteDatabase
from uploader.ledger.files import digest_of, make_empty, sync_file, sync_folder
from uploader.ledger.lock import locked
from uploader.ledger.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from uploader.clock import Clock

_LONGEST_WAL: Final = 64 * 2**20
_LONGEST_SHARE: Final = 4
"""Beside a long file the -wal file may become so many times shorter: to fold it asks for the digest of all of that."""
_FREE_SHARE: Final = 0.1
"""A file of which less is free is left as it is: what is free is written to first."""


class SqliteStore(SqliteDatabase):
    """See `Store`. Files beside ``path``: ``-wal``, ``-shm``, ``.lock``, ``.manifest.json``, ``.backups/``."""

    def __init__(self, path: Path, *, allow_network_filesystem: bool = False) -> None:
        super().__init__(path)
        self._allow_network_filesystem = allow_network_filesystem
        self._fold_at = _LONGEST_WAL
        self._coming: Future[str] | None = None

    def exists(self) -> bool:
        """See `Store.exists`. An empty file is no log."""
        return self.path.is_file() and self.path.stat().st_size > 0

    @contextlib.contextmanager
    def locked(self, clock: Clock) -> Iterator[None]:
        """See `Store.locked`. From now on nobody else writes, so its digest is found out while other things begin."""
        may_be_remote = self._allow_network_filesystem
        with locked(self.path, clock, allow_network_filesystem=may_be_remote), ThreadPoolExecutor(1) as thread:
            self._coming = thread.submit(digest_of, self.path)
            try:
                yield
            finally:
                self._coming = None

    # ------------------------------------------------------------------ to begin and to end

    def open(self, *, read_only: bool) -> None:
        """See `Store.open`."""
        self._await_digest()
        super().open(read_only=read_only)

    def _await_digest(self) -> None:
        """Wait until the file is read: to close it, later, would drop the locks that SQLite takes on it."""
        if self._coming is not None:
            wait([self._coming])

    def create(self, statements: Sequence[str]) -> None:
        """See `Store.create`: under another name first, so that a crash leaves no half-made log."""
        self._await_digest()
        unfinished, self._coming = self._beside(".new"), None
        try:
            copies.set_aside(self.path, "without-its-log")  # the -wal file of a lost log would be taken for this one's
            copies.remove(unfinished)
            make_empty(unfinished)
            with contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as database:
                database.execute("pragma journal_mode = wal")
                database.execute("pragma synchronous = full")
                database.execute("begin")
                for statement in statements:
                    database.execute(statement)
                database.execute("commit")
            sync_file(unfinished)
            unfinished.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            message = f"The sent log {self.path} cannot be made ({error.strerror}). See [ledger] path."
            raise ConfigurationError(message) from None
        except sqlite3.Error as error:
            raise TryLater(f"The sent log {self.path} cannot be made ({error}). Nothing was sent.") from None

    def close(self) -> None:
        """See `Store.close`: what the run wrote is folded into the log, and the manifest says that it is whole."""
        if self._may_write and self._connection is not None:
            try:
                if self._is_damaged:
                    self._leave_damaged()
                else:
                    self._fold()
                    self._note(self._digest, is_closed=not self._wal_bytes())
            except (UploaderError, OSError):
                # Nothing is lost: the file stays as the manifest describes it, with its -wal file.
                self._disconnect(folding=False)
        self._disconnect()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Store.transaction`."""
        with super().transaction():
            yield
        if self._wal_bytes() > self._fold_at:
            self._refresh()

    def set_aside(self, clock: Clock) -> None:
        """See `Store.set_aside`: into ``.backups/``."""
        self._await_digest()
        self._coming = None
        try:
            copies.set_aside(self.path, f"{clock():%Y%m%dT%H%M%S%f}")
        except OSError as error:
            raise TryLater(f"The sent log {self.path} cannot be put aside ({error.strerror}).") from None

    # ------------------------------------------------------------------ to prove and to keep

    def witness(self) -> Manifest | None:
        """See `Store.witness`: the manifest file."""
        return Manifest.read(self.path)

    def testify(self, manifest: Manifest) -> None:
        """See `Store.testify`."""
        replace(manifest, digest=self._digest).write(self.path)

    def prove(self, manifest: Manifest | None, *, read_only: bool) -> None:
        """See `Store.prove`: by the digest of the file, or where a run ended while it wrote to it, by a look inside.

        Only while no connection is open: to close a file drops the locks that this process has on it.
        """
        coming, self._coming = self._coming, None
        try:
            self._digest = coming.result() if coming else digest_of(self.path)
        except OSError as error:
            raise LedgerRegression(f"The sent log {self.path} cannot be read ({error.strerror}).") from None
        if manifest and manifest.digest == self._digest:
            return
        if manifest and manifest.digest and (manifest.is_closed or self._wal_bytes()):
            raise LedgerRegression(
                f"The sent log {self.path} is not as its last run left it: another program changed it, another copy "
                "took its place, or the disk is failing. Nothing was sent. Restore the newest copy, or accept this "
                "one with `uploader send --init`: what it does not know of will be sent again."
            )
        self.open(read_only=read_only)
        try:
            self._require_whole()
        finally:
            self._disconnect()
        self._digest = digest_of(self.path)  # SQLite has put in order what was left in the middle of a write

    def accept(self, clock: Clock) -> None:
        """See `Store.accept`: a -wal file that was not written for this file is put aside."""
        with contextlib.suppress(LedgerRegression, OSError):
            manifest = self.witness()
            if manifest and manifest.digest and self._wal_bytes() and manifest.digest != digest_of(self.path):
                copies.set_aside(self.path, f"{clock():%Y%m%dT%H%M%S%f}", copies.BESIDE)

    def back_up(self, clock: Clock) -> None:
        """See `Store.back_up`: into ``.backups/``, named after the time."""
        try:
            copies.keep(self.path, f"{clock():%Y%m%dT%H%M%S%f}", self._copy)
        except OSError as error:
            raise TryLater(f"The sent log {self.path} cannot be copied ({error.strerror}).") from None

    def back_up_daily(self, clock: Clock) -> None:
        """See `Store.back_up_daily`."""
        if copies.is_recent(self.path, clock()):
            return
        self._require_whole()
        self.back_up(clock)
        try:
            copies.forget_oldest(self.path)
        except OSError as error:
            raise TryLater(f"An old copy of the sent log cannot be deleted ({error}).") from None

    def compact(self) -> None:
        """See `Store.compact`: a new file takes the place of the old one. Somebody who reads it puts that off."""
        free, pages = (self.rows(f"pragma {about}", {})[0][0] for about in ("freelist_count", "page_count"))
        if free >= pages * _FREE_SHARE:
            self._write_anew()

    def scrub(self, clock: Clock) -> int:
        """See `Store.scrub`: the file is written anew, and so is its backup; what was put aside goes too."""
        if not self._write_anew():
            raise TryLater(f"The sent log {self.path} is being read, so it still has what was deleted. Try again.")
        try:
            self.back_up(clock)
            return copies.keep_newest_only(self.path)
        except OSError as error:
            raise TryLater(f"An old copy of the sent log cannot be deleted ({error}).") from None

    def _write_anew(self) -> bool:
        """Put a new file with the rows that there are into the log's place; False where somebody reads the old one."""
        fresh = self._beside(".new")
        try:
            self._copy(fresh)
            copies.let_wal(fresh)
            self._note(None, is_closed=False)
            return self._replace_by(fresh)
        except (OSError, sqlite3.Error) as error:
            raise TryLater(f"The sent log {self.path} cannot be made smaller ({error}).") from None
        finally:
            copies.remove(fresh)

    def _replace_by(self, fresh: Path) -> bool:
        try:
            # Works only while nobody else has the log open, and leaves no -wal file to be taken for the new one's.
            if self.rows("pragma journal_mode = delete", {}) != [("delete",)]:
                return False
            self._disconnect()
            fresh.replace(self.path)
            sync_folder(self.path.parent)
        except TryLater:
            return False  # somebody reads it: another day
        else:
            return True
        finally:
            self._disconnect()
            self._digest = digest_of(self.path)
            self.open(read_only=False)
            self._note(self._digest, is_closed=False)

    # ------------------------------------------------------------------ the file

    def _fold(self) -> None:
        """Fold the -wal file into the log. In between only SQLite's own checks could tell that the file was harmed."""
        if self._digest and not self._wal_bytes():
            return
        self._note(None, is_closed=False)
        self._disconnect()
        self._digest = digest_of(self.path)

    def _leave_damaged(self) -> None:
        """Leave the files as they are, and see to it that the next run finds what this one found."""
        self._disconnect(folding=False)
        if digest_of(self.path) == self._digest:
            self._note(None, is_closed=False)

    def _refresh(self) -> None:
        try:
            self._fold()
            self.open(read_only=False)
            self._fold_at = self._wal_bytes() + max(_LONGEST_WAL, self.path.stat().st_size // _LONGEST_SHARE)
            self._note(self._digest, is_closed=False)
        except OSError as error:
            raise TryLater(f"The sent log {self.path} cannot be read ({error.strerror}).") from None

    def _note(self, digest: str | None, *, is_closed: bool) -> None:
        """Say in the manifest, where there is one, what the file is now."""
        manifest = self.witness()
        if manifest:
            replace(manifest, digest=digest, is_closed=is_closed).write(self.path)

    def _copy(self, target: Path) -> None:
        """Write the log as it is to another file, for good, and compare."""
        copies.remove(target)
        make_empty(target)
        self.execute("vacuum into :copy", {"copy": str(target)})
        sync_file(target)
        try:
            tally = copies.tally(target)
        except sqlite3.Error as error:
            raise TryLater(f"The copy {target} of the sent log cannot be read ({error}).") from None
        if tally != self.rows(copies.TALLY, {}):
            raise LedgerRegression(f"The copy {target} of the sent log {self.path} is not equal to it.")

    def _require_whole(self) -> None:
        """Raise unless SQLite finds its structures in order (measured: 0.7 s for a million events)."""
        found = self.rows("pragma integrity_check(1)", {})
        if found != [("ok",)]:
            self._is_damaged = True
            raise LedgerRegression(
                f"The sent log {self.path} is damaged ({found[0][0]}). Restore it from a backup; {self.path}.backups "
                "has some. Do not delete it: events that were sent would be sent again."
            )
