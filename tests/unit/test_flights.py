"""Batches that share a commit: the promise of one intent before each request holds for each of them."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.at_once import whole
from tests.support.delivering import Platform, World, accepted, orders, refused, rejecting
from uploader.delivery.flights import EARNED, MOST
from uploader.delivery.run import Report, begin_watch, deliver
from uploader.delivery.surroundings import Surroundings
from uploader.transport import Answer, InDoubt

EVENTS = 3
BATCHES = EARNED + 3 * MOST
ALL = [f"purchase.{n}" for n in range(1, BATCHES * EVENTS + 1)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop whose batches are small, so that a run has several flights."""
    return World(tmp_path, settings={"batch_size": EVENTS})


def sold() -> pl.DataFrame:
    """Return as many orders as fill the batches, the oldest first."""
    rows = orders(len(ALL))
    at = [rows["event_at"][0] - timedelta(minutes=len(ALL) - n) for n in range(len(ALL))]
    return rows.with_columns(pl.Series("event_at", at, dtype=pl.Datetime("us")))


def kept(world: World) -> dict[str, list[str]]:
    """Look into the sent log from outside: the states of the batches that each event is in."""
    with sqlite3.connect(world.folder / "sent_log.sqlite") as log:
        found = log.execute("select e.event_id, b.state from batch_event e join batch b using (batch_id)").fetchall()
    states: dict[str, list[str]] = {}
    for event_id, state in found:
        states.setdefault(event_id, []).append(state)
    return states


def at_request(number: int, then: Callable[[], Answer]) -> Callable[[list[dict[str, object]]], Answer]:
    """Take every request but one."""
    counted = iter(range(1, 10_000))
    return lambda events: then() if next(counted) == number else accepted(events)


def test_each_intent_is_on_the_disk_before_its_request(world: World) -> None:
    """Another program that looks into the sent log during a request finds every event of it; commits are shared."""
    marks = []

    def look(events: list[dict[str, object]]) -> Answer:
        states = kept(world)
        assert [states[str(event["event_id"])] for event in events] == [["intent"]] * len(events)
        marks.append(len(states))
        return accepted(events)

    world.platform.judge = look
    report = world.run(sold())
    assert (report.books.acked, report.books.requests) == (len(ALL), BATCHES)
    # One batch at a time at first, then several that were intended together, and perhaps the next ones already.
    assert marks[:EARNED] == [EVENTS * n for n in range(1, EARNED + 1)]
    for number, mark in enumerate(marks[EARNED:]):
        together = EVENTS * (EARNED + MOST * (1 + number // MOST))
        assert mark in (together, min(together + EVENTS * MOST, len(ALL)))
    assert set(map(tuple, kept(world).values())) == {("acked",)}


def test_a_bad_event_in_a_flight_costs_the_others_nothing(world: World) -> None:
    """It is found and dead, everything else is counted once, and what was not begun leaves no trace."""
    bad = ALL[(EARNED + 2) * EVENTS]
    world.platform.judge = rejecting(bad)
    report = world.run(sold())
    assert (report.books.acked, report.books.dead, report.books.is_balanced) == (len(ALL) - 1, 1, True)
    assert sorted(world.platform.taken) == sorted(set(ALL) - {bad})
    assert all(states.count("acked") == 1 for event_id, states in kept(world).items() if event_id != bad)
    assert all("intent" not in states for states in kept(world).values())


@pytest.mark.parametrize("place", [0, 1, MOST - 1])
def test_a_kill_in_a_flight_leaves_doubts_and_no_loss(world: World, place: int) -> None:
    """The next run sends again what the sent log does not know to be taken, and all of the rest."""

    class Killed(BaseException):
        pass

    def die() -> Answer:
        raise Killed

    world.platform.judge = at_request(EARNED + MOST + 1 + place, die)
    with pytest.raises(Killed):
        world.run(sold())
    doubts = {event_id for event_id, states in kept(world).items() if states == ["intent"]}
    # Of the flight before, all were taken; that was written down with the intents of the next one.
    assert len(doubts) == 2 * MOST * EVENTS
    world.platform.judge = accepted
    report = world.run(sold())
    assert report.books.resent == 2 * MOST * EVENTS
    assert set(world.platform.taken) == set(ALL)
    twice = {event_id for event_id in ALL if world.platform.taken.count(event_id) > 1}
    assert twice <= doubts


def test_a_platform_that_asks_to_wait_is_not_asked_again_before(world: World) -> None:
    """The flight ends at its answer; the batch goes again after the time it named."""
    times = []
    throttled = refused(4, status=429, **{"retry-after": "30"})
    judge = at_request(EARNED + 3, lambda: throttled)

    def answer(events: list[dict[str, object]]) -> Answer:
        times.append(world.clock())
        return judge(events)

    world.platform.judge = answer
    report = world.run(sold())
    assert report.books.acked == len(ALL)
    assert times[EARNED + 3] - times[EARNED + 2] >= timedelta(seconds=30)
    assert world.platform.requests[EARNED + 3] == world.platform.requests[EARNED + 2]


def test_a_lost_answer_in_a_flight_is_asked_for_again(world: World) -> None:
    """After a pause, with the same events; all are acked in the end."""

    def lose() -> Answer:
        raise InDoubt("no answer")

    world.platform.judge = at_request(EARNED + 2, lose)
    report = world.run(sold())
    assert (report.books.acked, report.books.in_doubt) == (len(ALL), 0)
    assert len(world.slept) == 1
    assert world.platform.requests[EARNED + 2] == world.platform.requests[EARNED + 1]


def test_a_revoked_token_ends_a_flight_at_once(world: World) -> None:
    """One request learns it; nothing is dead, and what was not begun is as if it had never been meant to."""
    world.platform.judge = at_request(EARNED + 4, lambda: refused(190, status=401))
    report = world.run(sold())
    assert len(world.platform.requests) == EARNED + 4
    assert (report.books.acked, report.books.dead) == ((EARNED + 3) * EVENTS, 0)
    assert len(kept(world)) == (EARNED + 4) * EVENTS


def test_an_interruption_ends_a_flight(world: World) -> None:
    """No request begins after it; what was taken stands in the sent log, and the rest does not."""
    report = world.run(sold(), stop=lambda: len(world.platform.requests) >= EARNED + 3)
    assert len(world.platform.requests) == EARNED + 3
    assert report.books.acked == report.books.read - report.books.deferred == (EARNED + 3) * EVENTS
    assert len(kept(world)) == (EARNED + 3) * EVENTS


def test_events_that_age_while_they_wait_are_looked_at_again(world: World) -> None:
    """After minutes behind slow requests, an event that became too old is expired, and not sent."""

    def slowly(events: list[dict[str, object]]) -> Answer:
        world.clock.forward(seconds=150)
        return accepted(events)

    world.platform.judge = slowly
    rows, last = sold(), ALL[-1]
    # Later than within the hour, which would make it urgent; ten minutes of margin come off.
    end = (world.clock() + timedelta(seconds=150 * (BATCHES - 3)) + timedelta(minutes=10)).replace(tzinfo=None)
    expires_at = pl.when(pl.col("event_id") == last).then(pl.lit(end)).otherwise("expires_at").alias("expires_at")
    report = world.run(rows.with_columns(expires_at))
    assert last not in world.platform.taken
    assert (report.books.acked, report.books.expired) == (len(ALL) - 1, 1)


def test_a_wrong_clock_ends_a_flight(world: World) -> None:
    """The platform's time shows it: no further request, and nothing is judged by the wrong one."""
    wrong = {"date": "Fri, 20 Nov 2026 18:00:00 GMT"}
    taken: list[dict[str, object]] = [{}] * EVENTS
    world.platform.judge = at_request(EARNED + 2, lambda: replace(accepted(taken), headers=wrong))
    report = world.run(sold())
    assert (len(world.platform.requests), report.clock_is_wrong) == (EARNED + 2, True)
    assert report.books.acked == (EARNED + 2) * EVENTS


class Connection:
    """One of several connections to a platform; it takes one request at a time."""

    def __init__(self, platform: Platform, meeting: threading.Barrier, lock: threading.Lock) -> None:
        self.platform, self.meeting, self.lock = platform, meeting, lock
        self.count = 0

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Wait until every connection has a request under way, then answer."""
        self.count += 1
        self.meeting.wait(timeout=30)
        with self.lock:
            return self.platform(url, body, headers)


def run_together(world: World, connections: int) -> tuple[Report, list[Connection]]:
    """Run with further connections, which take requests at the same time once they are used."""
    lock, meeting = threading.Lock(), threading.Barrier(connections)
    others = [Connection(world.platform, meeting, lock) for _ in range(connections)]
    first, single = others[0], world.platform
    alone = iter(range(EARNED))

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return single(url, body, headers) if next(alone, None) is not None else first(url, body, headers)

    with world.ledger() as ledger:
        made = world.plan(ledger, sold())
        begin_watch(made, ledger)
        due = whole(made, sold())
        around = Surroundings(
            ledger, post, world.clock, world.sleep, monotonic=world.clock.monotonic, more_posts=others[1:]
        )
        return deliver(made, [due], around), others


def test_several_requests_are_under_way_at_a_time(world: World) -> None:
    """With three connections three requests meet, each event is taken once, and the books balance."""
    report, connections = run_together(world, 3)
    assert (report.books.acked, report.books.is_balanced) == (len(ALL), True)
    assert sorted(world.platform.taken) == sorted(ALL)
    assert [connection.count for connection in connections] == [MOST] * 3


def test_each_request_of_a_batch_is_whole(world: World) -> None:
    """What a platform gets over several connections is what it gets over one."""
    run_together(world, 2)
    again = World(world.folder.parent / "again", settings=world.settings)
    again.folder.mkdir()
    again.run(sold())
    assert sorted(json.dumps(ids) for ids in world.platform.requests) == sorted(
        json.dumps(ids) for ids in again.platform.requests
    )
