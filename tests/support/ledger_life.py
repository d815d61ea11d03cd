"""What a process does to a sent log until somebody kills it, and what must be true of the log afterwards."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.delivering import NOW
from tests.support.sent_logs import META, held, judged, sent
from uploader.errors import TryLater
from uploader.ledger import Ledger, SqliteStore, State, Store, guarded, reading, upkeep
from uploader.ledger.postgres import PostgresStore
from uploader.settings import LedgerSettings

NAME = "sent_log.sqlite"
TABLES = ("meta", "destination", "field_set", "batch", "batch_event", "verdict", "decision")
OUTCOMES = (State.ACKED, State.RELEASED, State.DEAD, None)


def clock(days: float) -> Callable[[], datetime]:
    """Return a clock that stands so many days after the usual moment."""
    return lambda: NOW + timedelta(days=days)


def place(address: str) -> Store:
    """Return the place of a sent log: an address of PostgreSQL, or a file."""
    return PostgresStore(address) if address.startswith("postgresql:") else SqliteStore(Path(address))


@contextmanager
def opened(address: str, days: float = 0) -> Iterator[Ledger]:
    """Open a sent log as a run does, under its lock."""
    store, now = place(address), clock(days)
    with store.locked(now), guarded(store, now, "life", None) as ledger:
        yield ledger


# ---------------------------------------------------------------- to be killed


def write(report: Connection, address: str, seed: int) -> None:
    """Run after run: intents and what became of them, and now and then the -wal file is folded in the middle.

    Each change is reported after its commit has returned: batch, rows, state.
    """
    chance = random.Random(seed)
    number = 0
    while True:
        with opened_after_a_kill(address) as ledger:
            if isinstance(ledger.store, SqliteStore):
                ledger.store._fold_at = chance.choice((50_000, 2**26))
            for _ in range(chance.randrange(1, 12)):
                number += 1
                ids = [f"{seed}.{number}.{position}" for position in range(chance.randrange(1, 40))]
                batch = sent(ledger, ids)
                report.send((batch, len(ids), "intent"))
                outcome = chance.choice(OUTCOMES)
                if outcome:
                    ledger.settle(batch, outcome)
                    report.send((batch, len(ids), str(outcome)))


def migrate(address: str) -> None:
    """Open a sent log for writing, which brings it to the newest version."""
    with opened(address, days=1):
        pass


def keep(address: str, days: int) -> None:
    """Do what the end of a run does for a sent log, so many days later."""
    with opened(address, days) as ledger:
        upkeep.keep(ledger, clock(days), LedgerSettings())


# ---------------------------------------------------------------- to look at


def content(path: Path) -> dict[str, list[Any]]:
    """Return all rows of all tables of a log in SQLite; it must be sound. A copy is looked at, and left in no order."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        for file in path.parent.glob(path.name + "*"):
            if file.is_file():
                shutil.copy(file, folder)
        database = stack.enter_context(closing(sqlite3.connect(Path(folder) / path.name)))
        database.text_factory = lambda text: text.decode(errors="replace")  # a bit may have been flipped in it
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        names = {name for (name,) in database.execute("select name from sqlite_schema where type = 'table'")}
        return {name: sorted(database.execute(f"select * from {name}"), key=repr) for name in TABLES if name in names}


def states(ledger: Ledger, destination_id: str = META) -> dict[str, tuple[str, Any, Any]]:
    """Return state, reason and first intent of every key."""
    found = reading.states(ledger, destination_id, NOW - timedelta(days=20_000))
    return {row[0]: row[1:] for row in found.select("event_id", "state", "reason", "first_intent_at").rows()}


def old_and_young(address: str, batches: int, rows: int) -> None:
    """Write a log of which half is of two months ago, and there is one key of each kind of trouble in that half."""
    old = 60 * 24
    with opened(address, days=-60) as ledger:
        for number in range(batches):
            ledger.settle(sent(ledger, [f"old.{number}.{row}" for row in range(rows)], hours_ago=old), State.ACKED)
        sent(ledger, ["in doubt"], hours_ago=old)
        ledger.settle(sent(ledger, ["dead"], hours_ago=old), State.DEAD, "100/2804050")
        held(ledger, ["held"], hours_ago=old)
        judged(ledger, ["expired"], State.EXPIRED, "expired", hours_ago=old)
    with opened(address) as ledger:
        for number in range(batches):
            ledger.settle(sent(ledger, [f"young.{number}.{row}" for row in range(rows)]), State.ACKED)


@contextmanager
def opened_after_a_kill(address: str) -> Iterator[Ledger]:
    """Open a sent log whose run was killed: a server needs a moment to notice that, a file's lock is free at once."""
    tries = 1 if address.startswith("/") else 1000
    with ExitStack() as stack:
        for left in reversed(range(tries)):
            try:
                ledger = stack.enter_context(opened(address))
                break
            except TryLater:
                if not left:
                    raise
        yield ledger


def assert_kept(address: str, reported: dict[int, tuple[int, str]]) -> None:
    """Check that every change that was reported (rows and state by batch) is there."""
    with opened_after_a_kill(address) as ledger:
        found = {
            batch: (rows, state)
            for batch, state, rows in ledger.store.rows(
                "select b.batch_id, b.state, count(*) from batch b join batch_event e on e.batch_id = b.batch_id"
                " group by b.batch_id, b.state",
                {},
            )
        }
    lost = {
        batch: (was, found.get(batch))
        for batch, was in reported.items()
        # What was committed may be a step ahead of what was reported, when the kill came in between.
        if found.get(batch) != was and not (was[1] == "intent" and found.get(batch, (0,))[0] == was[0])
    }
    assert lost == {}
