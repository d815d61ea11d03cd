"""The sent log forgets what no platform would take any more, and nothing that somebody must still look at."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.support.at_once import changes_since
from tests.support.delivering import NOW
from tests.support.proof import size
from tests.support.two_kinds import LONG_AGO, META, Log, keys, send
from uploader.errors import TryLater
from uploader.ledger import Ledger, State, reading
from uploader.ledger.upkeep import prune

FIRST = NOW - timedelta(days=100)
"""When the old part of each log here was written."""
CUT = NOW - timedelta(days=90)


@pytest.fixture
def old(log: Log) -> Log:
    """A log that was begun a hundred days ago, and its clock stands there."""
    log.clock.now = FIRST
    with log.open():
        pass
    return log


def _forget(log: Log, before: datetime = CUT) -> int:
    log.clock.now = NOW
    with log.open() as ledger:
        return prune(ledger, before)


def _tables(log: Log) -> dict[str, int]:
    return {name: len(rows) for name, rows in log.content().items() if name in ("batch", "batch_event", "verdict")}


def test_what_is_old_and_done_with_is_forgotten(old: Log) -> None:
    """Taken, free again, expired, suppressed: the key goes with all its rows, and the mark stays."""
    with old.open() as ledger:
        send(ledger, "acked", state=State.ACKED, at=FIRST)
        send(ledger, "released", state=State.RELEASED, at=FIRST)
        ledger.judge(META, keys("expired", reason="expired", at=FIRST), State.EXPIRED)
        send(ledger, "suppressed", at=FIRST)
        ledger.judge(META, keys("suppressed", reason="consent_withdrawn", at=FIRST), State.SUPPRESSED)
        ledger.judge(META, keys("no time", reason="expired", at=None), State.EXPIRED)
        mark = ledger.high_water
    assert _forget(old) == 6
    assert old.states() == {}
    assert _tables(old) == {"batch": 0, "batch_event": 0, "verdict": 0}
    with old.open() as ledger:
        assert ledger.high_water == mark
        send(ledger, "next", state=State.ACKED, at=NOW)
        assert ledger.high_water == mark + 2
        assert changes_since(ledger, mark)["event_id"].to_list() == ["next"]


def test_what_somebody_must_still_look_at_stays(old: Log) -> None:
    """In doubt, held and dead, however old; with everything that happened to the key."""
    with old.open() as ledger:
        send(ledger, "in doubt", "done", at=FIRST)
        send(ledger, "done", state=State.ACKED, at=FIRST)
        send(ledger, "dead", state=State.RELEASED, at=FIRST)
        send(ledger, "dead", state=State.DEAD, code="100/2804050", at=FIRST)
        send(ledger, "held", at=FIRST)
        ledger.judge(META, keys("held", "gone", reason="row_gone", at=FIRST), State.HELD)
    before = old.states()
    assert _forget(old) == 2
    assert old.states() == {key: state for key, state in before.items() if key != "done"}
    with old.reader() as ledger:
        assert [step["state"] for step in reading.history(ledger, "dead")] == ["released", "dead"]


@pytest.mark.parametrize(("age", "forgotten"), [(timedelta(microseconds=1), 1), (timedelta(), 0)])
def test_the_age_is_the_events_own(old: Log, age: timedelta, forgotten: int) -> None:
    """Exactly as old as the retention is not older."""
    with old.open() as ledger:
        send(ledger, "a", state=State.ACKED, at=CUT - age)
    assert _forget(old) == forgotten


def test_a_batch_waits_for_its_youngest_event(old: Log) -> None:
    """The log finds old rows by their batch."""
    with old.open() as ledger:
        send(ledger, "a", state=State.ACKED, at=FIRST)
    old.clock.now = NOW
    with old.open() as ledger:
        send(ledger, "an old event, sent now", state=State.ACKED, at=FIRST)
    assert _forget(old) == 1
    assert set(old.states()) == {"an old event, sent now"}


@pytest.mark.parametrize("again", ["sent", "judged", "under another name"])
def test_a_key_of_which_anything_is_young_stays_whole(old: Log, again: str) -> None:
    """Without its first rows a later state could come to light again, or its first try be forgotten."""
    with old.open() as ledger:
        send(ledger, "a", "other", state=State.ACKED, at=FIRST)
    old.clock.now = NOW
    with old.open() as ledger:
        if again == "judged":
            ledger.judge(META, keys("a", reason="asked", at=FIRST), State.RELEASED, "ada")
        else:
            send(ledger, "a", at=NOW, name="Lead" if "name" in again else "Purchase")
    before = old.states("a")
    assert _forget(old) == 1
    assert (old.states("a"), old.states("other")) == (before, {})


def test_another_destinations_key_is_another_key(old: Log) -> None:
    """One is young, the other is forgotten."""
    with old.open() as ledger:
        send(ledger, "a", state=State.ACKED, at=FIRST)
    old.clock.now = NOW
    with old.open() as ledger:
        ledger.judge("meta:43", keys("a", reason="expired", at=NOW), State.EXPIRED)
    assert _forget(old) == 1
    assert (old.states(), old.states(destination_id="meta:43")) == ({}, {"a": ("expired", "expired")})


@pytest.mark.parametrize(("young", "forgotten"), [(9, 1), (10, 0)])
def test_little_is_not_worth_it(old: Log, young: int, forgotten: int) -> None:
    """Less than a tenth of the rows waits until it is more."""
    with old.open() as ledger:
        send(ledger, "a", state=State.ACKED, at=FIRST)
    old.clock.now = NOW
    with old.open() as ledger:
        send(ledger, *(f"young.{n}" for n in range(young)), state=State.ACKED, at=NOW)
    assert _forget(old) == forgotten


def test_nothing_is_forgotten_when_another_run_has_written(old: Log) -> None:
    """A run that is not alone any more leaves everything as it is."""
    with old.open() as ledger:
        send(ledger, "a", state=State.ACKED, at=FIRST)
    old.clock.now = NOW
    with old.open() as ledger, old.open("another") as other:
        send(other, "b", at=NOW)
        with pytest.raises(TryLater, match="Another run has written"):
            prune(ledger, CUT)
    assert set(old.states()) == {"a", "b"}


# ---------------------------------------------------------------- by chance

ACTS: list[Callable[[Ledger, list[str], datetime], object]] = [
    lambda ledger, ids, at: send(ledger, *ids, at=at),
    lambda ledger, ids, at: send(ledger, *ids, state=State.ACKED, at=at),
    lambda ledger, ids, at: send(ledger, *ids, state=State.RELEASED, at=at),
    lambda ledger, ids, at: send(ledger, *ids, state=State.DEAD, at=at),
    lambda ledger, ids, at: ledger.judge(META, keys(*ids, reason="row_gone", at=at), State.HELD),
    lambda ledger, ids, at: ledger.judge(META, keys(*ids, reason="expired", at=at), State.EXPIRED),
    lambda ledger, ids, at: ledger.judge(META, keys(*ids, reason="asked", at=None), State.RELEASED),
]


@pytest.mark.parametrize("seed", range(size(6, 200)))
def test_whatever_happened_only_what_is_old_and_done_with_goes(old: Log, seed: int) -> None:
    """Lives at random: each key is forgotten altogether, or keeps its state to the letter."""
    chance, touched = random.Random(seed), {}
    ids = [f"key.{number}" for number in range(30)]
    with old.open() as ledger:
        for days in sorted(chance.uniform(-100, -80) for _ in range(40)):
            old.clock.now = NOW + timedelta(days=days)
            chosen = chance.sample(ids, chance.randrange(1, 6))
            touched |= dict.fromkeys(chosen, old.clock.now)
            chance.choice(ACTS)(ledger, chosen, old.clock.now - timedelta(hours=chance.randrange(48)))
    with old.reader() as ledger:
        before = reading.states(ledger, META, LONG_AGO).sort("event_id")
    _forget(old)
    with old.reader() as ledger:
        after = reading.states(ledger, META, LONG_AGO).sort("event_id")
    gone = before.join(after, on="event_id", how="anti")
    assert after.equals(before.join(gone, on="event_id", how="anti"))
    assert not {"intent", "held", "dead"} & set(gone["state"])
    assert all(touched[event_id] < CUT for event_id in gone["event_id"])
