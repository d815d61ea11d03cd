"""Trouble while several batches are under way: over several connections, at a pace, and while the next part is read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.at_once import whole
from tests.support.delivering import Platform, World, accepted, orders, refused
from tests.support.receiver_toy import Toy
from uploader.delivery.flights import EARNED, MOST
from uploader.delivery.run import Report, begin_watch, deliver
from uploader.delivery.surroundings import Surroundings
from uploader.errors import TryLater
from uploader.ledger import Intent, Ledger, Settled
from uploader.transport import Answer, InDoubt

EVENTS = 3
Events = list[dict[str, object]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop whose batches are small."""
    return World(tmp_path, settings={"batch_size": EVENTS})


@dataclass
class Connection:
    """One of several connections to a platform, which takes one request at a time."""

    platform: Platform
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Pass it on."""
        with self.lock:
            return self.platform(url, body, headers)


@dataclass
class Meeting(Connection):
    """One whose first requests of some events wait for each other, so that they are under way at the same time."""

    events: set[str] = field(default_factory=set)
    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Wait for the other one, and pass it on."""
        found = {event_id for event_id in self.events if f'"{event_id}"'.encode() in body}
        if found:
            self.events.difference_update(found)
            self.barrier.wait(timeout=30)
        return super().__call__(url, body, headers)


def sold(batches: int) -> pl.DataFrame:
    """Return as many orders as fill the batches, the oldest first."""
    rows = orders(batches * EVENTS)
    at = [rows["event_at"][0] - timedelta(minutes=rows.height - n) for n in range(rows.height)]
    return rows.with_columns(pl.Series("event_at", at, dtype=pl.Datetime("us")))


def run(world: World, parts: Iterable[pl.DataFrame], rows: pl.DataFrame, more: Sequence[Connection] = ()) -> Report:
    """Deliver rows part by part, over the platform's own connection and more of them."""
    with world.ledger() as ledger:
        made = world.plan(ledger, rows)
        begin_watch(made, ledger)
        around = Surroundings(
            ledger,
            more[0] if more else world.platform,
            world.clock,
            world.sleep,
            monotonic=world.clock.monotonic,
            more_posts=more[1:],
        )
        return deliver(made, (whole(made, part) for part in parts), around)


def two(platform: Platform) -> list[Connection]:
    """Return two connections."""
    first = Connection(platform)
    return [first, replace(first)]


def once(answers: Mapping[str, Callable[[], Answer]]) -> Callable[[Events], Answer]:
    """Answer the first request that has one of these events in another way than by taking it."""
    left = dict(answers)

    def judge(events: Events) -> Answer:
        found = [event_id for event_id in left if event_id in {event["event_id"] for event in events}]
        return left.pop(found[0])() if found else accepted(events)

    return judge


def lose() -> Answer:
    """Give no answer."""
    raise InDoubt("no answer")


def wait_a_moment() -> Answer:
    """Ask to be left alone for half a minute."""
    return refused(4, status=429, **{"retry-after": "30"})


def test_batches_of_an_earlier_part_are_sent_however_late(world: World) -> None:
    """Of a flight in trouble most go again behind the next part; none is lost when there is trouble once more."""
    sizes = (EARNED + 2 * MOST, 3, 3)
    rows = sold(sum(sizes))
    firsts = [EVENTS * sum(sizes[:number]) for number in range(len(sizes))]
    parts = [rows.slice(first, EVENTS * size) for first, size in zip(firsts, sizes, strict=True)]
    begins, ends = EARNED * EVENTS + 1, sizes[0] * EVENTS
    world.platform.judge = once({f"purchase.{begins}": lose, f"purchase.{ends}": wait_a_moment})
    report = run(world, parts, rows, two(world.platform))
    assert (report.books.acked, report.books.in_doubt, report.problem) == (rows.height, 0, None)
    assert sorted(set(world.platform.taken)) == sorted(rows["event_id"])


def test_who_asks_to_wait_is_not_asked_for_another_batch_either(world: World) -> None:
    """One connection's answer is lost, the other one's asks to wait: both batches go again after that."""
    times = list[float]()
    begins = EARNED * EVENTS + 1
    judge = once({f"purchase.{begins}": lose, f"purchase.{begins + EVENTS}": wait_a_moment})

    def answer(events: Events) -> Answer:
        times.append(world.clock.monotonic())
        return judge(events)

    world.platform.judge = answer
    first = Meeting(world.platform, events={f"purchase.{begins}", f"purchase.{begins + EVENTS}"})
    rows = sold(EARNED + 4)
    report = run(world, [rows], rows, [first, replace(first)])
    assert report.books.acked == rows.height
    assert min(times[EARNED + 2 :]) >= max(times[: EARNED + 2]) + 30


class Paced(Toy):
    """Takes thirty requests a minute."""

    requests_per_minute = 30
    limits = replace(Toy.limits, events=2)


def test_no_request_begins_after_a_wait_in_which_the_run_was_stopped(tmp_path: Path) -> None:
    """Neither of a single batch nor of several: that it may begin is asked after the platform's pace was kept."""
    for waits in (3, EARNED + 2):
        world = World(tmp_path / str(waits), destination=Paced())
        world.folder.mkdir()
        rows = orders(2 * (EARNED + 4), destination="toy")
        world.run(rows, stop=lambda waits=waits, world=world: len(world.slept) >= waits)
        assert (len(world.slept), len(world.platform.requests)) == (waits, waits)


def test_a_wrong_clock_is_believed_to_be_wrong_whatever_ends_the_run(world: World) -> None:
    """The platform's time comes in a flight, while the next part of the rows cannot be read."""
    rows, seen = sold(EARNED + MOST + 1), threading.Event()

    def parts() -> Iterator[pl.DataFrame]:
        yield rows.head(-EVENTS)
        assert seen.wait(timeout=30)
        raise TryLater("the rows changed")

    def judge(events: Events) -> Answer:
        if len(world.platform.requests) <= EARNED:
            return accepted(events)
        seen.set()
        return replace(accepted(events), headers={"date": "Fri, 20 Nov 2026 10:00:00 GMT"})

    world.platform.judge = judge
    assert isinstance(run(world, parts(), rows).problem, TryLater)
    world.clock.forward(hours=-4)
    world.platform.judge = accepted
    assert world.run(rows).problem is None


def test_a_wrong_clock_ends_the_tries_of_the_other_connection_too(world: World) -> None:
    """One answer is lost, the other one shows the platform's time: the lost one is not asked for again."""
    begins = EARNED * EVENTS + 1
    wrong = {"date": "Fri, 20 Nov 2026 10:00:00 GMT"}
    late = replace(accepted([{}] * EVENTS), headers=wrong)
    world.platform.judge = once({f"purchase.{begins}": lose, f"purchase.{begins + EVENTS}": lambda: late})
    first = Meeting(world.platform, events={f"purchase.{begins}", f"purchase.{begins + EVENTS}"})
    rows = sold(EARNED + 2)
    report = run(world, [rows], rows, [first, replace(first)])
    assert (len(world.platform.requests), report.clock_is_wrong) == (EARNED + 2, True)


def test_a_platform_that_asks_to_wait_is_remembered_whatever_ends_the_run(world: World) -> None:
    """Its answer comes in a flight, while the next part of the rows cannot be read: the next run leaves it alone."""
    rows, seen = sold(EARNED + MOST + 1), threading.Event()

    def parts() -> Iterator[pl.DataFrame]:
        yield rows.head(-EVENTS)
        assert seen.wait(timeout=30)
        raise TryLater("the rows changed")

    def judge(events: Events) -> Answer:
        if len(world.platform.requests) <= EARNED:
            return accepted(events)
        seen.set()
        return wait_a_moment()

    world.platform.judge = judge
    run(world, parts(), rows)
    asked = len(world.platform.requests)
    assert "left alone" in str(world.run(rows).problem)
    assert len(world.platform.requests) == asked


def test_a_mistake_in_one_request_ends_the_flight_of_all_connections(world: World) -> None:
    """What nobody foresaw is raised at once, and not after the other connection made all of the other requests."""

    class Mistake(Exception):
        pass

    def stumble() -> Answer:
        raise Mistake

    world.platform.judge = once({f"purchase.{EARNED * EVENTS + 1}": stumble})
    rows = sold(EARNED + 2 * MOST)
    with pytest.raises(Mistake):
        run(world, [rows], rows, two(world.platform))
    assert len(world.platform.requests) < EARNED + MOST


class OnceFull:
    """A sent log whose disk is full for one commit: that of outcomes alone, without an intent."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._is_full = ledger, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def advance(self, settled: Sequence[Settled], intents: Sequence[Intent], recalled: Sequence[int] = ()) -> list[int]:
        """Fail once where several outcomes are to be written."""
        if self._is_full and not intents and len(settled) > 1:
            self._is_full = False
            raise TryLater("the disk is full")
        return self._ledger.advance(settled, intents, recalled)


def test_what_a_failing_commit_did_not_write_is_written_by_the_next_one(world: World) -> None:
    """Batches that were taken are not left in doubt because the commit of their outcomes failed once."""
    rows = sold(EARNED + 4)
    with world.ledger() as ledger:
        made = world.plan(ledger, rows)
        begin_watch(made, ledger)
        full: Any = OnceFull(ledger)
        around = Surroundings(full, world.platform, world.clock, world.sleep, monotonic=world.clock.monotonic)
        report = deliver(made, [whole(made, rows)], around)
    assert str(report.problem) == "the disk is full"
    assert (report.books.acked, report.books.in_doubt) == (rows.height, 0)
