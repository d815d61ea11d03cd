"""The sent log: one run at a time, never an older or a lost one, and no user data."""

from __future__ import annotations

import sqlite3
import stat
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from tests.support.at_once import changes_since
from tests.support.delivering import Clock, World, orders
from uploader.clock import microseconds
from uploader.errors import ConfigurationError, LedgerRegression, TryLater
from uploader.ledger import Ledger, Publication, SqliteStore, guarded, reading, summary
from uploader.ledger.files import digest_of
from uploader.ledger.manifest import Manifest


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop that sent three events."""
    shop = World(tmp_path)
    shop.run(orders(3))
    return shop


def _open(world: World, published: Publication | None = None, *, init: bool = False) -> None:
    with guarded(world.store(), world.clock, "run", published, init=init):
        pass


def test_a_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    """Exit 75 with the holder's pid, host and start."""
    path, clock = tmp_path / "sent_log.sqlite", Clock()
    with (
        SqliteStore(path).locked(clock),
        pytest.raises(TryLater, match=r"pid \d+ on .* since 2026-11-20T14:00:00Z"),
        SqliteStore(path).locked(clock),
    ):
        pass


def test_a_deleted_sent_log_stops_the_run(world: World) -> None:
    """The manifest remembers it."""
    (world.folder / "sent_log.sqlite").unlink()
    with pytest.raises(LedgerRegression, match="missing"):
        _open(world)


def test_a_sent_log_lost_with_its_manifest_is_noticed_by_the_warehouse(world: World) -> None:
    """The published copy remembers it."""
    for file in world.folder.glob("sent_log.sqlite*"):
        file.unlink()
    with pytest.raises(LedgerRegression, match="sent_log_meta"):
        _open(world, Publication("somebody", 3))


def test_an_older_copy_of_the_sent_log_stops_the_run(world: World) -> None:
    """Yesterday's disk is behind the manifest."""
    path = world.folder / "sent_log.sqlite"
    yesterday = path.read_bytes()
    world.run(orders(5))
    path.write_bytes(yesterday)
    with pytest.raises(LedgerRegression, match="older than its manifest"):
        _open(world)


def test_another_shops_sent_log_stops_the_run(world: World, tmp_path: Path) -> None:
    """The identity must fit the warehouse's copy."""
    with pytest.raises(LedgerRegression, match="is not the one"):
        _open(world, Publication("somebody else", 1))


def test_a_truncated_sent_log_stops_the_run(world: World) -> None:
    """What is no database any more is not begun anew."""
    path = world.folder / "sent_log.sqlite"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(LedgerRegression):
        _open(world)


def test_a_person_can_accept_a_new_sent_log(world: World) -> None:
    """--init begins anew."""
    (world.folder / "sent_log.sqlite").unlink()
    _open(world, init=True)
    with world.ledger() as ledger:
        assert summary.counts(ledger) == {}


def test_a_newer_schema_is_refused_and_left_alone(world: World) -> None:
    """An older version of the program does not touch a newer file: exit 78."""
    path = world.folder / "sent_log.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("update meta set value = '99' where key = 'schema_version'")
    database.close()
    found = Manifest.read(path)
    assert found
    replace(found, schema_version=99, digest=digest_of(path)).write(path)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="newer version"):
        _open(world)
    assert path.read_bytes() == before


def test_only_the_owner_may_read_the_files(world: World) -> None:
    """Sent log, lock and manifest are 0600."""
    with world.store().locked(world.clock):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in world.folder.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_a_read_only_command_makes_no_file(tmp_path: Path) -> None:
    """Opening a log that is not there for reading fails rather than making it."""
    path = tmp_path / "sent_log.sqlite"
    with pytest.raises(LedgerRegression):
        Ledger(SqliteStore(path), Clock(), "run", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_the_log_counts_states_with_zeros(world: World) -> None:
    """Every state is told, also those without rows."""
    with world.ledger() as ledger:
        counted = summary.counts(ledger)["meta:42"]
    assert counted == {"intent": 0, "released": 0, "acked": 3, "dead": 0, "expired": 0, "held": 0, "suppressed": 0}


def test_the_log_tells_which_fields_left(world: World) -> None:
    """The bitmap turns back into names."""
    with world.ledger() as ledger:
        story = reading.history(ledger, "purchase.2")
    assert [entry["state"] for entry in story] == ["acked"]
    names = reading.field_names(story[0]["paths"], story[0]["fields"])
    assert {"event_name", "event_time", "event_id", "custom_data.value", "custom_data.currency"} <= set(names)
    assert "user_data.em" not in names


def test_only_what_changed_is_published(world: World) -> None:
    """Changes after a mark, with the state they ended in."""
    with world.ledger() as ledger:
        mark = ledger.high_water
    world.run(orders(4))
    with world.ledger() as ledger:
        changes = changes_since(ledger, mark)
    assert changes.select("event_id", "state").rows() == [("purchase.4", "acked")]


def test_the_log_holds_no_user_data(tmp_path: Path) -> None:
    """Neither identifiers, hashed or not, nor the payload are in any file of the log."""
    canaries = {
        "client_ip": "203.0.113.77",
        "user_agent": "Canary/1.0",
        "email_sha256": "c" * 64,
        "fbp": "fb.1.1700000000000.77",
    }
    World(tmp_path).run(orders(2, **canaries))
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not [value for value in canaries.values() if value.encode() in written]


def test_a_verdict_counts_until_a_later_batch(world: World) -> None:
    """A key that a person released is new again, and its next ack stands."""
    with world.ledger() as ledger:
        keys = pl.DataFrame(
            {
                "event_name": "Purchase",
                "event_id": "purchase.1",
                "event_at": microseconds(datetime(2026, 11, 20, 12)),
                "reason": "asked",
                "was_in_doubt": False,
            }
        )
        ledger.judge("meta:42", keys, "released", "ada")
        assert reading.states_of(ledger, "meta:42", ["purchase.1"])["state"].to_list() == ["released"]
    assert world.run(orders(3)).books.acked == 1
