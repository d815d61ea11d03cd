"""One sent log of each kind for every test of the conformance suite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.two_kinds import KINDS, Log
from uploader.ledger import SqliteStore, Store
from uploader.ledger.postgres import PostgresStore

if TYPE_CHECKING:
    from tests.support.postgres import Server


@pytest.fixture(params=KINDS)
def store_kind(request: pytest.FixtureRequest) -> str:
    """The engine that a sent log is kept in."""
    return str(request.param)


@pytest.fixture(scope="session")
def database(postgres: Server) -> str:
    """One database for all tests of the suite: to make one takes longer than most tests."""
    return postgres.fresh()


@pytest.fixture
def url(database: str) -> str:
    """Say where the database is, emptied."""
    with psycopg.connect(database, autocommit=True) as connection:
        found = connection.execute("select nspname from pg_namespace where nspname like 'uploader_sent_log%'")
        for (schema,) in found.fetchall():
            connection.execute(psycopg.sql.SQL("drop schema {} cascade").format(psycopg.sql.Identifier(schema)))
    return database


@pytest.fixture
def new_store(store_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Return what opens another way to one and the same place, which is empty at first."""
    if store_kind == "sqlite":
        return lambda: SqliteStore(tmp_path / "sent_log.sqlite")
    place = request.getfixturevalue("url")
    return lambda: PostgresStore(place)


@pytest.fixture
def log(new_store: Callable[[], Store]) -> Log:
    """A place for a sent log, and a clock."""
    return Log(new_store)
