"""The sent log in PostgreSQL: its lock, its one session, and a server that goes away."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support import delivering
from tests.support import postgres as support
from tests.support.delivering import Clock
from tests.support.postgres import Pooler, Server
from tests.support.two_kinds import META, Counting, Host, Log, send
from uploader.errors import ConfigurationError, LedgerRegression, TryLater
from uploader.ledger import State, reading
from uploader.ledger.postgres import PostgresStore, _signature

PATIENCE_S = 20

HOLDER = """
import sys
from datetime import UTC, datetime
from uploader.ledger.postgres import PostgresStore
with PostgresStore(sys.argv[1]).locked(lambda: datetime(2026, 11, 20, 14, tzinfo=UTC)):
    print("locked", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def log(url: str) -> Log:
    """A place for a sent log in PostgreSQL, and a clock."""
    return Log(lambda: PostgresStore(url))


@contextmanager
def holder(url: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process that holds the lock until it is told to end."""
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            yield process
        finally:
            process.kill()


def taken(url: str) -> bool:
    """Try until the lock can be had, as long as patience lasts."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            with PostgresStore(url).locked(Clock()):
                return True
        except TryLater:
            continue
    return False


def end_sessions(url: str) -> int:
    """End every other session of a database that uses an advisory lock, as an administrator may."""
    query = "select count(pg_terminate_backend(pid, 10000)) from pg_locks where locktype = 'advisory' and granted"
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


# ------------------------------------------------------------------ the lock


def test_the_holder_of_the_lock_is_named(url: str) -> None:
    """Process, host and start, and the place; nothing of the address that is secret."""
    with holder(url) as process, pytest.raises(TryLater) as caught, PostgresStore(url).locked(Clock()):
        pass
    host = socket.gethostname().partition(".")[0][-20:]
    assert f"(pid {process.pid} on {host} since 2026-11-20T14:00:00Z)" in str(caught.value)
    assert "uploader_sent_log in the PostgreSQL database" in str(caught.value)


@pytest.mark.parametrize("host", ["h", "db-1.internal.example.com", "uploader-cronjob-28481760-x7k2p", "x" * 64])
def test_the_holder_fits_into_the_name_of_a_session(host: str) -> None:
    """The server cuts a name after 63 bytes; of a long host its end is kept, where pods differ."""
    told = _signature(4_194_304, host, Clock())
    assert len(told.encode()) <= 63
    assert told.endswith(" since 2026-11-20T14:00:00Z")
    assert host.partition(".")[0][-5:] in told


def test_the_lock_of_a_killed_process_is_free(url: str) -> None:
    """A kill -9 leaves nothing behind: the server takes the lock back."""
    with holder(url) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
        assert taken(url)


def test_a_stopped_process_keeps_the_lock_until_its_session_is_ended(url: str) -> None:
    """It may go on at any time, so nobody else begins; an administrator can end it."""
    with holder(url) as process:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(TryLater, match=f"pid {process.pid} on"), PostgresStore(url).locked(Clock()):
            pass
        assert end_sessions(url) == 1
        assert taken(url)


def test_the_lock_of_one_database_is_not_that_of_another(postgres: Server, url: str) -> None:
    """A server may serve several shops."""
    with PostgresStore(url).locked(Clock()), PostgresStore(postgres.fresh()).locked(Clock()):
        pass


def test_a_vanished_host_does_not_hold_the_lock_for_hours(url: str) -> None:
    """The server asks after a client that says nothing for a minute, four times; by itself it waits for two hours."""
    store = PostgresStore(url)
    with store.locked(Clock()):
        told = dict(store.rows("select name, setting from pg_settings where name like 'tcp_keepalives%'", {}))
    assert told == {"tcp_keepalives_idle": "60", "tcp_keepalives_interval": "15", "tcp_keepalives_count": "4"}


# ------------------------------------------------------------------ a pooler


def test_a_pooler_is_refused_before_anything_is_set_or_written(postgres: Server, pgbouncer: Pooler) -> None:
    """Exit 78, also to read; the session that the pooler lent stays as it was."""
    direct = postgres.fresh()
    pooled = pgbouncer.through(direct)
    log = Log(lambda: PostgresStore(pooled))
    asked = "select name, setting from pg_settings where name <> 'application_name' order by 1"
    with psycopg.connect(pooled, autocommit=True) as client:
        before = client.execute(asked).fetchall()
    for attempt in (lambda: _lock(pooled), lambda: PostgresStore(pooled).exists(), lambda: _open(log)):
        with pytest.raises(ConfigurationError, match="through a pooler") as caught:
            attempt()
        assert caught.value.exit_code == 78
    with psycopg.connect(pooled, autocommit=True) as client:
        assert client.execute(asked).fetchall() == before
    assert not PostgresStore(direct).exists()
    assert postgres.admin("select * from pg_locks where locktype = 'advisory'", direct.rpartition("/")[2]) == []


def _lock(url: str) -> None:
    with PostgresStore(url).locked(Clock()):
        pass


def _open(log: Log) -> None:
    with log.open():
        pass


# ------------------------------------------------------------------ a server that goes away


def test_a_run_whose_session_was_ended_stops_and_the_next_one_sends_again(log: Log, url: str, tmp_path: Path) -> None:
    """Ended between an intent and its outcome: exit 75, the batch is in doubt, and it is counted once."""
    platform = Counting(log.clock, lambda _ids: end_sessions(url) if not platform.requests[1:] else None)
    host = Host(tmp_path, platform, log.clock, settings={"batch_size": 2}, new_store=log.new_store)
    with pytest.raises(TryLater, match="No further request is made") as caught:
        host.run(orders(6))
    assert caught.value.exit_code == 75
    assert platform.requests == [["purchase.1", "purchase.2"]]
    assert log.states() == {"purchase.1": ("intent", None), "purchase.2": ("intent", None)}
    books = host.run(orders(6)).books
    assert (books.acked, books.resent) == (6, 2)
    assert platform.counted() == {f"purchase.{n}": 1 for n in range(1, 7)}


def test_a_run_survives_a_crash_of_the_server(tmp_path: Path) -> None:
    """The server crashes while a request is under way, and comes back: what was intended is there."""
    with support.server() as server:
        place = server.fresh()
        log = Log(lambda: PostgresStore(place))

        def crash_once(_ids: list[str]) -> None:
            if len(platform.requests) == 1:
                server.stop(signal.SIGQUIT)

        platform = Counting(log.clock, crash_once)
        host = Host(tmp_path, platform, log.clock, settings={"batch_size": 2}, new_store=log.new_store)
        with pytest.raises(TryLater, match="cannot be used"):
            host.run(orders(4))
        with pytest.raises(TryLater, match="cannot be reached"):
            host.run(orders(4))
        server.start()
        assert host.run(orders(4)).books.acked == 4
        assert platform.requests[:2] == [["purchase.1", "purchase.2"]] * 2
        assert platform.counted() == {f"purchase.{n}": 1 for n in range(1, 5)}


def orders(count: int) -> object:
    """Return orders with what the platform asks for at least."""
    return delivering.orders(count, external_id_sha256="a" * 64)


# ------------------------------------------------------------------ the place


def test_a_log_that_is_put_aside_is_not_lost(log: Log, url: str) -> None:
    """--init over a broken one renames its schema."""
    with log.open() as ledger:
        send(ledger, "a", state=State.ACKED)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table uploader_sent_log.meta")
        with pytest.raises(LedgerRegression):
            _open(log)
        with log.open(init=True, locked=True):
            pass
        kept = connection.execute("select event_id from uploader_sent_log_20261120140000.batch_event").fetchall()
    assert kept == [("a",)]


def test_a_log_is_made_whole_or_not_at_all(url: str) -> None:
    """An error in the middle leaves no schema behind."""
    store = PostgresStore(url)
    with pytest.raises(LedgerRegression):
        store.create(["create table meta (key text)", "insert into nowhere values (1)"])
    assert not store.exists()
    with psycopg.connect(url) as connection:
        assert connection.execute("select to_regnamespace('uploader_sent_log') is null").fetchone() == (True,)


def test_settings_of_the_server_do_not_change_what_is_read(log: Log, url: str) -> None:
    """A role may have its own search path, zone and forms of output."""
    hostile = {
        "search_path": "public",
        "timezone": "America/New_York",
        "bytea_output": "escape",
        "default_transaction_isolation": "serializable",
        "standard_conforming_strings": "off",
        "synchronous_commit": "off",
        "intervalstyle": "iso_8601",
    }
    with psycopg.connect(url, autocommit=True) as connection:
        for name, value in hostile.items():
            connection.execute(f"alter role current_user in database {connection.info.dbname} set {name} = '{value}'")
        try:
            with log.open(locked=True) as ledger:
                batch = send(ledger, "it's \\ a")
                assert ledger.store.rows("show synchronous_commit", {}) == [("on",)]
                assert reading.payload_hashes(ledger, META, ["it's \\ a"])["payload_hash"].to_list() == [b"h" * 16]
                ledger.settle(batch, State.ACKED)
            assert log.states() == {"it's \\ a": ("acked", None)}
        finally:
            connection.execute(f"alter role current_user in database {connection.info.dbname} reset all")
