"""Copies of a sent log in SQLite: backups, what was put aside, and a file that is to take the log's place."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from uploader.ledger.files import sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

TALLY: Final = (
    "select (select count(*) from batch), (select count(*) from batch_event), (select count(*) from verdict),"
    " (select value from meta where key = 'ledger_id'), (select value from meta where key = 'high_water')"
)
BESIDE: Final = ("-wal", "-shm", "-journal")
"""What SQLite leaves beside a database when a process ends at once; without that database it is of no use, and harm."""
_KEPT: Final = 7
_OFTEN_ENOUGH: Final = timedelta(days=1)
_NAME: Final = re.compile(r"\d{8}T\d{12}\.sqlite")
"""Of a backup: its time in microseconds, UTC, so that names sort by age."""


def folder_of(ledger: Path) -> Path:
    """Return where the copies of a log are kept; made when the first one is."""
    folder = ledger.with_name(ledger.name + ".backups")
    if not folder.exists():
        folder.mkdir(mode=0o700)
        sync_folder(ledger.parent)
    return folder


def backups(ledger: Path) -> list[Path]:
    """Return the backups of a log, oldest first."""
    folder = ledger.with_name(ledger.name + ".backups")
    return sorted(file for file in folder.glob("*.sqlite") if _NAME.fullmatch(file.name))


def is_recent(ledger: Path, now: datetime) -> bool:
    """Tell whether the newest backup is less than a day old."""
    newest = max((file.stem for file in backups(ledger)), default="")
    return newest > f"{now - _OFTEN_ENOUGH:%Y%m%dT%H%M%S%f}"


def keep(ledger: Path, name: str, copy: Callable[[Path], None]) -> None:
    """Make a backup: under another name first, so that a crash leaves none that is half."""
    folder = folder_of(ledger)
    unfinished = folder / "unfinished"
    try:
        copy(unfinished)
        unfinished.rename(folder / f"{name}.sqlite")
        sync_folder(folder)
    finally:
        remove(unfinished)


def forget_oldest(ledger: Path) -> None:
    """Keep the newest backups only. What was put aside is not one of them: a person decides about that."""
    for file in backups(ledger)[:-_KEPT]:
        file.unlink(missing_ok=True)


def keep_newest_only(ledger: Path) -> int:
    """Delete every copy but the one made last, also what was put aside; return how many there were."""
    newest = max(backups(ledger), key=lambda file: file.stat().st_mtime_ns)
    older = [path for path in folder_of(ledger).iterdir() if path != newest]
    for path in older:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    sync_folder(folder_of(ledger))
    return len(older)


def set_aside(ledger: Path, label: str, suffixes: Sequence[str] = ("", *BESIDE)) -> None:
    """Move the files of a log, as far as they exist, to a folder of their own."""
    files = [path for suffix in suffixes if (path := ledger.with_name(ledger.name + suffix)).exists()]
    if not files:
        return
    names = (label if number == 1 else f"{label}-{number}" for number in count(1))
    aside = next(path for name in names if not (path := folder_of(ledger) / name).exists())
    aside.mkdir(mode=0o700)
    for file in files:
        file.rename(aside / file.name)
    sync_folder(aside)
    sync_folder(ledger.parent)


def remove(database: Path) -> None:
    """Remove a database that was not finished, and what SQLite left beside it."""
    for suffix in ("", *BESIDE):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def tally(database: Path) -> list[tuple[Any, ...]]:
    """Look through a database, and return its figures; `sqlite3.Error` where it cannot be read."""
    with contextlib.closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        found = copy.execute("pragma quick_check(1)").fetchall()
        return copy.execute(TALLY).fetchall() if found == [("ok",)] else found


def let_wal(database: Path) -> None:
    """Let a database have a -wal file from now on."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma journal_mode = wal")
    sync_file(database)
