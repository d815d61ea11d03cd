"""A sent log of an older version is brought forward with its states as they were, and a copy of it is kept."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support import ledger_life as life
from tests.support.delivering import NOW
from tests.support.ledger_life import NAME, clock
from tests.support.two_kinds import FIXTURES
from uploader.errors import ConfigurationError, LedgerRegression, TryLater
from uploader.ledger import Ledger, SqliteStore, guarded, migrations, verify

OLD = range(1, migrations.newest())
TOMORROW = NOW + timedelta(days=1)


def _log(version: int, folder: Path) -> Path:
    """Write a log as an older version left it."""
    path = folder / NAME
    with closing(sqlite3.connect(path)) as database:
        database.executescript((FIXTURES / f"v{version}.sql").read_text(encoding="utf-8"))
        database.execute("pragma journal_mode = wal")
    return path


def _expected(version: int) -> dict[str, Any]:
    found = json.loads((FIXTURES / f"v{version}.json").read_text(encoding="utf-8"))
    return {event_id: (state, reason, first) for _, event_id, state, reason, first in found}


def _version(path: Path) -> str:
    return str(dict(life.content(path)["meta"])["schema_version"])


def test_there_is_a_log_of_every_old_version() -> None:
    """Who adds a migration keeps a log of the version before it; see how the first one is made."""
    assert len(OLD) >= 1
    assert [version for version in OLD if not (FIXTURES / f"v{version}.sql").is_file()] == []


@pytest.mark.parametrize("version", OLD)
def test_an_old_log_keeps_its_states(version: int, tmp_path: Path) -> None:
    """Every key has the state, the reason and the first try that the old version told."""
    log = _log(version, tmp_path)
    with life.opened(str(log), days=1) as ledger:
        assert life.states(ledger) == _expected(version)
        assert ledger.high_water > 0
    assert _version(log) == str(migrations.newest())


@pytest.mark.parametrize("version", OLD)
def test_a_copy_is_kept_before_a_log_is_brought_forward(version: int, tmp_path: Path) -> None:
    """It is the old log, row by row, named after the time."""
    log = _log(version, tmp_path)
    before = life.content(log)
    life.migrate(str(log))
    (copy,) = tmp_path.glob(NAME + ".backups/*")
    assert copy.name == f"{TOMORROW:%Y%m%dT%H%M%S%f}.sqlite"
    assert life.content(copy) == before


@pytest.mark.parametrize("version", OLD)
def test_without_a_copy_a_log_is_not_brought_forward(version: int, tmp_path: Path) -> None:
    """A disk without room for it: exit 75, and the log stays of its version."""
    log = _log(version, tmp_path)
    (tmp_path / f"{NAME}.backups").write_text("no folder")
    with pytest.raises(TryLater, match="cannot be copied"):
        life.migrate(str(log))
    assert _version(log) == str(version)


@pytest.mark.parametrize("version", OLD)
def test_a_command_that_only_reads_does_not_bring_a_log_forward(version: int, tmp_path: Path) -> None:
    """It says what will; doctor finds nothing wrong."""
    log = _log(version, tmp_path)
    before = log.read_bytes()
    with pytest.raises(ConfigurationError, match=r"older version .* The next `uploader send` brings it forward"):
        Ledger(SqliteStore(log), clock(1), "status", read_only=True)
    verify(SqliteStore(log), None)
    assert log.read_bytes() == before


def test_the_kept_copy_can_be_gone_back_to(tmp_path: Path) -> None:
    """In the log's place it is an older log: accepted with --init, and brought forward again."""
    log = _log(1, tmp_path)
    life.migrate(str(log))
    shutil.copy(next(tmp_path.glob(NAME + ".backups/*")), log)
    with pytest.raises(LedgerRegression):
        life.migrate(str(log))
    with guarded(SqliteStore(log), clock(1), "run", None, init=True) as ledger:
        assert life.states(ledger) == _expected(1)
