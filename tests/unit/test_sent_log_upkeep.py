"""At the end of a run: a copy of the sent log each day, and a smaller file when much was forgotten."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support import ledger_life as life
from tests.support.delivering import NOW
from tests.support.ledger_life import NAME, clock
from tests.support.sent_logs import sent
from tests.support.shop import Shop, opened, orders
from uploader.errors import LedgerRegression, TryLater
from uploader.ledger import Ledger, SqliteStore, State, guarded, upkeep
from uploader.ledger.files import digest_of
from uploader.ledger.manifest import Manifest
from uploader.settings import LedgerSettings


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of which half was written sixty days ago; see `life.old_and_young`."""
    path = tmp_path / NAME
    life.old_and_young(str(path), 4, 200)
    return path


def _keep(log: Path, days: float, **settings: int) -> None:
    with life.opened(str(log), days) as ledger:
        upkeep.keep(ledger, clock(days), LedgerSettings(**settings))


def _backups(log: Path) -> list[Path]:
    return sorted(log.parent.glob(NAME + ".backups/*.sqlite"))


def _states(path: Path, days: float = 400) -> dict[str, Any]:
    with life.opened(str(path), days) as ledger:
        return life.states(ledger)


# ---------------------------------------------------------------- copies


def test_there_is_a_copy_of_each_day(log: Path) -> None:
    """Six runs a day make one, and the newest seven are kept."""
    for hour in range(0, 24 * 9, 4):
        _keep(log, hour / 24)
    expected = [f"{NOW + timedelta(days=day):%Y%m%dT%H%M%S%f}.sqlite" for day in range(2, 9)]
    assert [file.name for file in _backups(log)] == expected


def test_a_copy_is_a_whole_log(log: Path) -> None:
    """For its owner only; put in the log's place it is refused at first, and accepted with --init."""
    before = _states(log)
    _keep(log, 400)
    copy = _backups(log)[0]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with life.opened(str(log), 400) as ledger:
        sent(ledger, ["later"])
    shutil.copy(copy, log)
    with pytest.raises(LedgerRegression, match="older than its manifest"):
        _states(log)
    with guarded(SqliteStore(log), clock(400), "run", None, init=True) as ledger:
        assert life.states(ledger) == before
    assert _states(log) == before


def test_a_damaged_log_is_not_copied(log: Path) -> None:
    """It is told at once, exit 3, and no good copy is given up for it."""
    _keep(log, 0)
    good = _backups(log)
    with life.opened(str(log), 1) as ledger:
        ledger.store.execute("pragma writable_schema = on", {})
        ledger.store.execute("update sqlite_schema set rootpage = 3 where name = 'batch_event_by_id'", {})
        ledger.store.execute("pragma writable_schema = reset", {})
        with pytest.raises(LedgerRegression):
            upkeep.keep(ledger, clock(1), LedgerSettings())
    assert _backups(log) == good
    with pytest.raises(LedgerRegression):
        _states(log)


def test_a_copy_that_cannot_be_made_leaves_nothing_half(log: Path) -> None:
    """Exit 75 at most; a kill leaves a file under another name, which the next copy replaces."""
    folder = log.with_name(NAME + ".backups")
    (folder / "unfinished").mkdir(parents=True)
    with pytest.raises(TryLater, match="cannot be copied"):
        _keep(log, 0)
    assert _backups(log) == []
    (folder / "unfinished").rmdir()
    (folder / "unfinished").write_bytes(b"half of it")
    _keep(log, 0)
    assert [file.name for file in folder.iterdir()] == [file.name for file in _backups(log)]


# ---------------------------------------------------------------- a smaller file


def test_what_is_older_than_the_retention_is_forgotten(log: Path) -> None:
    """Written 60 days ago, with a retention of 120: not yet after 59 days, then after 61."""
    before, size = _states(log, 0), log.stat().st_size
    _keep(log, 59)
    assert _states(log, 59) == before
    _keep(log, 61)
    after = _states(log, 61)
    assert after == {key: state for key, state in before.items() if not key.startswith("old.") and key != "expired"}
    assert log.stat().st_size < size * 0.7


def test_the_retention_is_a_setting(log: Path) -> None:
    """With 100 days the same log forgets after 41."""
    _keep(log, 41)
    assert len(_states(log, 41)) > 804
    _keep(log, 41, retention_days=100)
    assert len(_states(log, 41)) == 803


def test_the_smaller_file_is_the_log(log: Path) -> None:
    """Nothing of the old file is left beside it, its digest is known, and writing goes on."""
    with life.opened(str(log), 70) as ledger:
        identity, mark = ledger.ledger_id, ledger.high_water
        upkeep.keep(ledger, clock(70), LedgerSettings())
        assert (ledger.ledger_id, ledger.high_water) == (identity, mark)
        ledger.settle(sent(ledger, ["afterwards"]), State.ACKED)
    manifest = Manifest.read(log)
    assert manifest
    assert (manifest.digest, manifest.is_closed) == (digest_of(log), True)
    assert _states(log)["afterwards"][0] == "acked"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    names = {file.name.removeprefix(NAME) for file in log.parent.iterdir()}
    assert names == {"", ".lock", ".manifest.json", ".backups"}


def test_somebody_who_reads_the_log_puts_the_smaller_file_off(log: Path) -> None:
    """He goes on to read what he has open; the next run makes it smaller."""
    size = log.stat().st_size
    reader = Ledger(SqliteStore(log), clock(70), "status", read_only=True)
    known = len(life.states(reader))
    with closing(sqlite3.connect(log)) as holding:
        holding.execute("begin")
        holding.execute("select count(*) from batch").fetchall()
        _keep(log, 70)
        assert log.stat().st_size >= size
    assert len(life.states(reader)) < known
    reader.close()
    _keep(log, 70)
    assert log.stat().st_size < size


class _Stopped(BaseException):
    """The process ends here."""


class _Stopping(SqliteStore):
    """Ends at the so-manieth step of what it does with its file."""

    left = 10**9

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _Stopped

    def _disconnect(self, *, folding: bool = True) -> None:
        self._step()
        super()._disconnect(folding=folding)
        self._step()

    def _note(self, digest: str | None, *, is_closed: bool) -> None:
        self._step()
        super()._note(digest, is_closed=is_closed)

    def _copy(self, target: Path) -> None:
        self._step()
        super()._copy(target)

    def execute(self, query: str, values: Mapping[str, Any]) -> int:
        """See `Store`."""
        self._step()
        return super().execute(query, values)

    def rows(self, query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """See `Store`."""
        self._step()
        return super().rows(query, values)


def _stopped_at(log: Path, step: int) -> bool:
    """Do the upkeep until a step; what the process had open is left as it is, as a kill leaves it."""
    store = _Stopping(log)
    with guarded(store, clock(70), "run", None) as ledger:
        store.left = step
        aside = log.parent.with_name("aside")
        try:
            upkeep.keep(ledger, clock(70), LedgerSettings())
        except _Stopped:
            shutil.copytree(log.parent, aside)
        store.left = 10**9
    if not aside.exists():
        return False
    shutil.rmtree(log.parent)
    aside.rename(log.parent)
    return True


def test_at_every_step_the_old_file_or_the_new_one_is_there(log: Path, tmp_path: Path) -> None:
    """Ended before any of the steps: no key inside the retention is lost, and none comes back."""
    before, step = _states(log, 70), 0
    after = {key: state for key, state in before.items() if not key.startswith("old.") and key != "expired"}
    while True:
        folder = tmp_path / "at" / str(step)
        folder.mkdir(parents=True)
        for file in tmp_path.glob(NAME + "*"):
            shutil.copy(file, folder)
        if not _stopped_at(folder / NAME, step):
            break
        assert _states(folder / NAME, 70) in (before, after), step
        _keep(folder / NAME, 70)
        assert _states(folder / NAME, 70) == after, step
        step += 1
    assert step > 20


# ---------------------------------------------------------------- with the warehouse


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shop]:
    """A shop that has sent three events."""
    with opened(tmp_path, monkeypatch, capsys) as it:
        it.sells(*orders(3))
        assert it.run("send")[0] == 0
        yield it


def test_what_was_published_stays_published(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sent log forgets, the warehouse does not; what is forgotten is neither due nor expired again."""
    published = shop.sql("select * from sent_log order by event_id")
    for hour in range(3):
        later = NOW + timedelta(days=150, hours=hour)
        monkeypatch.setenv("UPLOADER_NOW", later.isoformat())
        gone = {"is_sendable": False, "hold_reason": "expired", "as_of": later.replace(tzinfo=None).isoformat()}
        shop.sells(*orders(3, **gone))
        assert shop.run("send")[0] == 0, shop.error
    states = shop.json("status")[1]["destinations"]["meta"]["states"]
    assert set(states.values()) == {0}
    assert shop.sql("select * from sent_log order by event_id") == published
    assert len(published) == shop.posted() * 3 == 3
