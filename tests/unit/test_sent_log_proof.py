"""The sent log's file is the one that the last run left, or the run is refused; a -wal file belongs to one file."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.delivering import World, orders
from tests.support.ledger_life import NAME
from tests.support.sent_logs import META, sent
from uploader.errors import LedgerRegression, TryLater
from uploader.ledger import Ledger, Publication, SqliteStore, State, guarded, reading, verify
from uploader.ledger.files import digest_of
from uploader.ledger.manifest import Manifest


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop that sent three events."""
    shop = World(tmp_path / "shop")
    with shop.store().locked(shop.clock):
        shop.run(orders(3))
    return shop


def _log(world: World) -> Path:
    return world.folder / NAME


def _manifest(world: World) -> Manifest:
    found = Manifest.read(_log(world))
    assert found
    return found


def _killed_run(world: World, *ids: str) -> None:
    """Leave the log as a run does that was killed after it intended to send these events."""
    aside = world.folder.with_name("aside")
    with world.ledger() as ledger:
        sent(ledger, ids)
        shutil.copytree(world.folder, aside)
    shutil.rmtree(world.folder)
    aside.rename(world.folder)


def _known(world: World, *, init: bool = False) -> dict[str, str]:
    with guarded(world.store(), world.clock, "run", None, init=init) as ledger:
        ids = [f"purchase.{n}" for n in range(1, 9)]
        return dict(reading.states_of(ledger, META, ids).select("event_id", "state").rows())


def _other_program(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement).fetchall()
        database.commit()


def test_a_run_ends_with_one_file_whose_digest_is_known(world: World) -> None:
    """No -wal file is left, and the manifest says what the file is."""
    assert not _log(world).with_name(NAME + "-wal").exists()
    assert (_manifest(world).digest, _manifest(world).is_closed) == (digest_of(_log(world)), True)


def test_during_a_run_the_file_stays_as_it_is(world: World) -> None:
    """So its digest holds also after a kill; what changes stands in the -wal file."""
    before = _log(world).read_bytes()
    with world.ledger() as ledger:
        ledger.settle(sent(ledger, ["purchase.4"]), State.ACKED)
        assert _log(world).read_bytes() == before
        assert (_manifest(world).digest, _manifest(world).is_closed) == (digest_of(_log(world)), False)
    assert _log(world).read_bytes() != before


def test_a_changed_byte_stops_the_next_run(world: World) -> None:
    """Wherever it is; with the byte as it was the log is accepted again."""
    content = _log(world).read_bytes()
    for position in (100, len(content) // 2, len(content) - 1):
        _log(world).write_bytes(content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :])
        with pytest.raises(LedgerRegression):
            _known(world)
    _log(world).write_bytes(content)
    assert _known(world) == dict.fromkeys(("purchase.1", "purchase.2", "purchase.3"), "acked")


def test_a_killed_run_is_gone_on_with(world: World) -> None:
    """Its intent is there."""
    _killed_run(world, "purchase.4")
    assert _known(world)["purchase.4"] == "intent"


def test_another_program_may_fold_the_wal_file_of_a_killed_run(world: World) -> None:
    """To look at the log with the sqlite3 program does that; nothing is lost, so nothing is refused."""
    _killed_run(world, "purchase.4")
    _other_program(_log(world), "select count(*) from batch")
    assert not _log(world).with_name(NAME + "-wal").exists()
    assert _known(world)["purchase.4"] == "intent"


def test_another_program_may_not_change_a_log(world: World) -> None:
    """Who has edited the log by hand must say so with --init."""
    _other_program(_log(world), "update batch set state = 'released'")
    with pytest.raises(LedgerRegression, match="not as its last run left it"):
        _known(world)
    assert set(_known(world, init=True).values()) == {"released"}
    assert set(_known(world).values()) == {"released"}


def test_a_reader_at_the_end_of_a_run_does_no_harm(world: World) -> None:
    """While somebody looks at the log it is not folded; the next run finds it whole."""
    reader = Ledger(world.store(), world.clock, "status", read_only=True)
    with world.ledger() as ledger:
        sent(ledger, ["purchase.4"])
        reading.states_of(reader, META, ["purchase.4"])
    assert not _manifest(world).is_closed
    assert _known(world)["purchase.4"] == "intent"
    reader.close()
    assert _known(world)["purchase.4"] == "intent"
    assert _manifest(world).is_closed


def test_a_long_wal_file_is_folded_in_the_middle_of_a_run(world: World) -> None:
    """The manifest then describes the new file, and the run goes on."""
    store = world.store()
    assert isinstance(store, SqliteStore)
    with guarded(store, world.clock, "run", None) as ledger:
        store._fold_at = 1
        before = digest_of(_log(world))
        sent(ledger, ["purchase.4"])
        assert digest_of(_log(world)) == _manifest(world).digest != before
        assert _manifest(world).high_water == ledger.high_water
        sent(ledger, ["purchase.5"])
    assert {"purchase.4", "purchase.5"} <= set(_known(world))


class _Watched(SqliteStore):
    """Keeps a copy of its folder from the moment at which SQLite begins to fold the -wal file."""

    def _disconnect(self, *, folding: bool = True) -> None:
        aside = self.path.parent.with_name("aside")
        if self._wal_bytes() and not aside.exists():
            shutil.copytree(self.path.parent, aside)
        super()._disconnect(folding=folding)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_run_that_is_killed_while_it_folds_is_gone_on_with(world: World, share: float) -> None:
    """Some pages of the -wal file are in the log already, and SQLite writes all of them again."""
    with guarded(_Watched(_log(world)), world.clock, "run", None) as ledger:
        sent(ledger, [f"purchase.{n}" for n in range(4, 9)])
    shutil.rmtree(world.folder)
    world.folder.with_name("aside").rename(world.folder)
    # https://www.sqlite.org/fileformat2.html#walformat: a header of 32 bytes, then pages with 24 bytes before each.
    wal = _log(world).with_name(NAME + "-wal").read_bytes()
    frames = [wal[start : start + 24 + 4096] for start in range(32, len(wal), 24 + 4096)]
    assert len(frames) > 2
    with _log(world).open("r+b") as file:
        for frame in frames[: round(len(frames) * share)]:
            file.seek((int.from_bytes(frame[:4]) - 1) * 4096)
            file.write(frame[24:])
    assert len(_known(world)) == 8


def test_a_manifest_that_cannot_be_written_at_the_end_leaves_the_file_alone(world: World) -> None:
    """The file must not change while the manifest describes it otherwise; its -wal file keeps what is new."""
    obstacle = _log(world).with_name(NAME + ".manifest.json.tmp")
    with ExitStack() as stack:
        sent(stack.enter_context(world.ledger()), ["purchase.4"])
        obstacle.mkdir()
        with pytest.raises(TryLater):
            stack.close()
    assert _manifest(world).digest == digest_of(_log(world))
    obstacle.rmdir()
    assert _known(world)["purchase.4"] == "intent"


# ---------------------------------------------------------------- what a -wal file belongs to


def test_a_wal_file_is_not_mixed_with_another_copy_of_the_log(world: World) -> None:
    """SQLite would read old pages and new ones as one log. --init takes the copy as it is, and puts the rest aside."""
    old = _log(world).read_bytes()
    world.run(orders(4))
    _killed_run(world, "purchase.5")
    _log(world).write_bytes(old)
    with pytest.raises(LedgerRegression):
        _known(world)
    assert set(_known(world, init=True)) == {"purchase.1", "purchase.2", "purchase.3"}
    assert [file.name for file in world.folder.glob("sent_log.sqlite.backups/*/*-wal")] == [NAME + "-wal"]


def test_a_wal_file_without_its_log_does_not_come_back(world: World) -> None:
    """A new log begins empty; what was left of the lost one is put aside, each time anew."""
    for _ in range(2):
        _killed_run(world, "purchase.4")
        _log(world).unlink()
        with pytest.raises(LedgerRegression, match="missing"):
            _known(world)
        assert _known(world, init=True) == {}
    assert len(list(world.folder.glob("sent_log.sqlite.backups/*/*-wal"))) == 2


# ---------------------------------------------------------------- when the digest is not known


def _forget_digest(world: World) -> None:
    """Leave the manifest as a run does that was killed while it folded the -wal file, or a version before this one."""
    manifest = Manifest.path_for(_log(world))
    found = _manifest(world)
    manifest.write_text(f'{{"ledger_id": "{found.ledger_id}", "high_water": {found.high_water}, "schema_version": 2}}')


def test_without_a_digest_the_log_is_looked_through(world: World) -> None:
    """What SQLite finds in order is accepted, what it does not is refused."""
    _forget_digest(world)
    assert len(_known(world)) == 3
    _other_program(_log(world), "pragma writable_schema = on")
    with closing(sqlite3.connect(_log(world))) as database:
        database.execute("pragma writable_schema = on")
        database.execute("delete from sqlite_schema where name = 'batch_event_by_id'")
        database.commit()
    _forget_digest(world)
    with pytest.raises(LedgerRegression, match="damaged"):
        _known(world)


def test_a_damaged_log_is_put_aside_by_init(world: World) -> None:
    """Nothing is deleted, and the new log is empty."""
    content = _log(world).read_bytes()
    _log(world).write_bytes(content[: len(content) // 2])
    _forget_digest(world)
    assert _known(world, init=True) == {}
    assert next(world.folder.glob(f"sent_log.sqlite.backups/*/{NAME}")).stat().st_size == len(content) // 2


def test_a_log_that_is_found_damaged_during_a_run_is_not_declared_whole(world: World) -> None:
    """Its digest must not become the right one."""
    world.run(orders(300))
    content = _log(world).read_bytes()
    with world.ledger() as ledger:
        _log(world).write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
        with pytest.raises(LedgerRegression):
            sent(ledger, ["purchase.301"])
    assert not _manifest(world).is_closed
    with pytest.raises(LedgerRegression):
        _known(world)


def test_reading_a_log_that_was_left_in_the_middle_of_a_write_is_for_later(world: World) -> None:
    """A rollback journal can be used by those only who may write: exit 75, and the next run puts it in order."""
    log, aside = _log(world), world.folder / "aside"
    aside.mkdir()
    with closing(sqlite3.connect(log, isolation_level=None)) as database:
        for statement in ("pragma journal_mode = delete", "pragma cache_size = 1", "begin", "delete from batch_event"):
            database.execute(statement)
        for number in range(500):
            database.execute("insert into meta values (?, ?)", (f"x{number}", "y" * 500))
        for file in (log, log.with_name(NAME + "-journal")):
            shutil.copy(file, aside)
    shutil.copytree(aside, world.folder, dirs_exist_ok=True)
    with pytest.raises(TryLater, match="in the middle of a write"):
        Ledger(world.store(), world.clock, "status", read_only=True)
    _forget_digest(world)
    assert len(_known(world)) == 3


def test_doctor_looks_without_writing(world: World) -> None:
    """It accepts and refuses as a run does, also while one is under way."""
    _killed_run(world, "purchase.4")
    before = {file: file.read_bytes() for file in (_log(world), Manifest.path_for(_log(world)))}
    verify(world.store(), None)
    with pytest.raises(LedgerRegression):
        verify(world.store(), Publication("another", 1))
    assert {file: file.read_bytes() for file in before} == before
    with world.ledger():
        verify(world.store(), None)
    _log(world).write_bytes(_log(world).read_bytes()[::-1])
    with pytest.raises(LedgerRegression):
        verify(world.store(), None)
