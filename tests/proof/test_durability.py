"""The sent log after kill -9 while it is written to, brought forward, and made smaller."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import ledger_life as life
from tests.support.ledger_kills import kill_after, kill_after_reports, moments, run
from tests.support.postgres import Server
from tests.support.proof import size
from tests.support.two_kinds import FIXTURES
from uploader.ledger import migrations

Figure = Callable[[str, str], None]


def _killed_while_writing(address: str, kills: int, chance: random.Random) -> int:
    """Kill one writer after the other, and look at the log each time; return how many changes were reported."""
    reported, changes = {}, 0
    for _ in range(kills):
        seed, count, seconds = chance.randrange(10**9), chance.randrange(1, 30), chance.uniform(0, 0.02)
        reports = kill_after_reports(count, seconds, life.write, address, seed)
        reported |= {batch: (rows, state) for batch, rows, state in reports}
        changes += len(reports)
        life.assert_kept(address, reported)
    return changes


def test_a_killed_writer_loses_nothing_that_was_committed(tmp_path: Path, figure: Figure) -> None:
    """Whatever it was doing, the log opens, is sound, and has every change that was reported."""
    chance, kills, changes = random.Random(20261120), size(40, 500), 0
    for part in range(kills // 20):
        log = tmp_path / str(part) / "sent_log.sqlite"
        changes += _killed_while_writing(str(log), 20, chance)
        life.content(log)
    figure("L1", f"{kills} kills, SQLite: {changes} reported changes, 0 lost, 0 logs that did not open")


def test_a_killed_writer_loses_nothing_in_postgresql(postgres: Server, figure: Figure) -> None:
    """The same, where the server lives on and rolls back what was not committed."""
    kills = size(10, 500)
    changes = _killed_while_writing(postgres.fresh(), kills, random.Random(20261121))
    figure("L1", f"{kills} kills, PostgreSQL: {changes} reported changes, 0 lost, 0 logs that did not open")


# ---------------------------------------------------------------- brought forward


def _log_of(version: int, path: Path) -> dict[str, object]:
    """Write a log of an old version, with rows enough that it takes a while to copy; return its states."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript((FIXTURES / f"v{version}.sql").read_text(encoding="utf-8"))
        database.execute(
            "with recursive numbers (n) as (select 1 union all select n + 1 from numbers limit 5000)"
            " insert into batch_event select 1, 'Purchase', 'more.' || n, event_at, first_intent_at, consent_at,"
            " payload_hash, fields from batch_event, numbers where event_id = 'purchase.1'"
        )
        database.commit()
        database.execute("pragma journal_mode = wal")
    expected = json.loads((FIXTURES / f"v{version}.json").read_text(encoding="utf-8"))
    return {event_id: (state, reason, at) for _, event_id, state, reason, at in expected}


@pytest.mark.parametrize("version", range(1, migrations.newest()))
def test_a_killed_migration_leaves_the_old_version_or_the_new_one(version: int, tmp_path: Path, figure: Figure) -> None:
    """At whatever moment: the states are the same, and the next run brings it forward."""
    made, path, chance = tmp_path / "made", tmp_path / "log" / "sent_log.sqlite", random.Random(version)
    made.mkdir()
    known = _log_of(version, made / path.name)
    shutil.copytree(made, path.parent)
    seconds, found, kills = run(life.migrate, str(path)), Counter(), size(50, 500)
    for moment in moments(seconds, chance, kills):
        shutil.rmtree(path.parent)
        shutil.copytree(made, path.parent)
        kill_after(moment, life.migrate, str(path))
        found[f"v{dict(life.content(path)['meta'])['schema_version']}"] += 1
        with life.opened(str(path), days=1) as ledger:
            states = life.states(ledger)
        assert {key: states[key] for key in known} == known
        assert len(states) == len(known) + 5000
    assert set(found) <= {f"v{version}", f"v{migrations.newest()}"}
    figure("L6", f"{kills} kills while v{version} was brought forward: {dict(found)}, states the same")


# ---------------------------------------------------------------- made smaller


def _names(log: Path) -> set[str]:
    return {file.name.removeprefix(log.name) for file in log.parent.iterdir()}


def test_a_killed_compaction_leaves_the_old_file_or_the_new_one(tmp_path: Path, figure: Figure) -> None:
    """At whatever moment: what may not be forgotten is there, what is there is whole, and the next run goes on."""
    made, path, chance = tmp_path / "made", tmp_path / "log" / "sent_log.sqlite", random.Random(8)
    life.old_and_young(str(made / path.name), 20, 200)
    with life.opened(str(made / path.name)) as ledger:
        before = life.states(ledger)
    keep = {key: state for key, state in before.items() if not key.startswith("old.") and key != "expired"}
    shutil.copytree(made, path.parent)
    seconds, found, kills = run(life.keep, str(path), 70), Counter(), size(10, 50)
    for moment in moments(seconds, chance, kills):
        shutil.rmtree(path.parent)
        shutil.copytree(made, path.parent)
        kill_after(moment, life.keep, str(path), 70)
        life.content(path)
        with life.opened(str(path), days=70) as ledger:
            states = life.states(ledger)
        assert states in (before, keep)
        found["all keys" if states == before else "the younger keys"] += 1
        life.keep(str(path), 70)
        assert path.stat().st_size < (made / path.name).stat().st_size * 0.7
        assert _names(path) == {"", ".backups", ".lock", ".manifest.json"}
    figure("L8", f"{kills} kills while a log was made smaller: {dict(found)}; 0 keys lost inside the retention")
