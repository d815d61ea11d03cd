"""The servers that other tests rely on are what they are taken for."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support import postgres as support
from tests.support import servers

if TYPE_CHECKING:
    from tests.support.postgres import Pooler, Server


def one(connection: psycopg.Connection, statement: str) -> object:
    """Return the only value of a statement's only row."""
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def test_the_servers_have_no_rights_on_this_machine(postgres: Server, pgbouncer: Pooler) -> None:
    """Neither runs as root, and the product's user is not the superuser of its database."""
    for daemon in (postgres.daemon, pgbouncer.daemon):
        assert daemon.process is not None
        status = Path(f"/proc/{daemon.process.pid}/status")
        owner = status.stat().st_uid if status.exists() else os.geteuid()
        assert owner != 0
    with psycopg.connect(postgres.fresh()) as connection:
        assert one(connection, "select usesuper from pg_user where usename = current_user") is False


def test_a_commit_is_on_the_disk(postgres: Server) -> None:
    """The settings that make a commit durable are on, as they are where the product runs."""
    with psycopg.connect(postgres.fresh()) as connection:
        assert [one(connection, f"show {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")] == [
            "on"
        ] * 3


def test_nobody_gets_in_without_the_password(postgres: Server, pgbouncer: Pooler) -> None:
    """The servers listen on loopback, where every account of the machine could knock."""
    url = postgres.url().replace(postgres.daemon.password, "another")
    for wrong in (url, pgbouncer.through(url)):
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(wrong)


def test_fresh_databases_are_apart(postgres: Server) -> None:
    """What one test writes, no other sees."""
    with psycopg.connect(postgres.fresh()) as connection, psycopg.connect(postgres.fresh()) as other:
        connection.execute("create table mine (key text)")
        connection.commit()
        assert one(connection, "select to_regclass('mine') is not null") is True
        assert one(other, "select to_regclass('mine') is null") is True


def test_the_pooler_changes_sessions_between_transactions(pgbouncer: Pooler) -> None:
    """Two clients share one session of the server, which is none that PgBouncer told them of."""
    url = pgbouncer.fresh()
    with psycopg.connect(url, autocommit=True) as first, psycopg.connect(url, autocommit=True) as second:
        sessions = [one(connection, "select pg_backend_pid()") for connection in (first, second, first)]
        assert len(set(sessions)) == 1
        assert sessions[0] not in (first.info.backend_pid, second.info.backend_pid)
        with first.transaction():
            held = one(first, "select pg_backend_pid()")
            assert one(second, "select pg_backend_pid()") != held


def test_a_server_comes_back_after_a_crash() -> None:
    """It has the same address and every commit, and leaves nothing running."""
    with support.server() as server:
        url = server.fresh()
        with psycopg.connect(url) as connection:
            connection.execute("create table kept (key text)")
        server.stop(signal.SIGQUIT)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        server.start()
        with psycopg.connect(url) as connection:
            assert one(connection, "select to_regclass('kept') is not null") is True
        folder, process = server.daemon.folder, server.daemon.process
    assert not folder.exists()
    assert process is not None
    assert process.poll() == 0


def test_a_missing_server_is_told() -> None:
    """Its tests are skipped and say how to get it; CI does not take a skip for a pass."""
    with pytest.raises(pytest.skip.Exception, match="apt-get install no-such-server"):
        servers.needed("no-such-server", {})
    with pytest.raises(pytest.fail.Exception, match="apt-get install no-such-server"):
        servers.needed("no-such-server", {"CI": "true"})
