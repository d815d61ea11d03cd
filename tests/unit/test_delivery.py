"""Delivery: every event is counted once, or stands in a state with a reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.at_once import whole
from tests.support.delivering import NOW, Platform, World, accepted, orders, refused, rejecting
from uploader.delivery.run import deliver, exit_code
from uploader.delivery.surroundings import Surroundings
from uploader.errors import PlatformRefused, QualityGateFailed, TryLater
from uploader.ledger import State
from uploader.transport import Answer, InDoubt, NotSent


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop that never sent anything."""
    return World(tmp_path)


def test_what_was_acked_is_never_sent_again(world: World) -> None:
    """A second run over the same rows makes no request."""
    first = world.run(orders(5))
    second = world.run(orders(5))
    assert (first.books.acked, first.books.requests) == (5, 1)
    assert (second.books.already, second.books.requests, exit_code([second])) == (5, 0, 0)


def test_batches_are_cut_by_the_configured_size(world: World) -> None:
    """Five events at most two a request are three requests."""
    world.settings = {"batch_size": 2}
    assert world.run(orders(5)).books.requests == 3
    assert [len(request) for request in world.platform.requests] == [2, 2, 1]


def test_the_bad_event_of_a_batch_is_dead_and_the_good_ones_are_delivered(world: World) -> None:
    """One refused event in a hundred costs itself only, and is named with its code."""
    world.platform.judge = rejecting("purchase.37")
    report = world.run(orders(100))
    assert (report.books.acked, report.books.dead) == (99, 1)
    assert sorted(world.platform.taken) == sorted(f"purchase.{n}" for n in range(1, 101) if n != 37)
    assert exit_code([report]) == 2


def test_each_good_event_is_taken_once_however_many_are_bad(world: World) -> None:
    """Halving delivers every good event exactly once."""
    bad = {f"purchase.{n}" for n in (1, 2, 50, 77, 100)}
    world.platform.judge = rejecting(*bad)
    report = world.run(orders(100))
    assert (report.books.acked, report.books.dead) == (95, 5)
    assert len(world.platform.taken) == len(set(world.platform.taken)) == 95


def test_a_named_event_is_found_without_halving(world: World) -> None:
    """An answer that names a position costs two requests: all, and the rest, which proves it right."""
    # In the order of sending: purchase.1, purchase.10, purchase.2, purchase.3.
    third = "purchase.3"
    path = b'{"error":{"message":"Unexpected key \\"x\\" on param \\"$[\'data\'][3]\\"","code":100}}'
    world.platform.judge = lambda events: Answer(400, path, {}) if len(events) == 10 else rejecting(third)(events)
    assert world.run(orders(10)).books.dead == 1
    assert [len(request) for request in world.platform.requests] == [10, 9]


def test_when_everything_is_refused_alike_nobody_is_blamed(world: World) -> None:
    """A wrong mapping stops the run with exit 4 after at most twelve requests, and nothing is dead."""
    world.platform.judge = lambda events: refused(100, 2804019)
    report = world.run(orders(100))
    assert (report.books.dead, report.books.released + report.books.deferred) == (0, 100)
    assert isinstance(report.problem, PlatformRefused)
    assert (exit_code([report]), len(world.platform.requests) <= 12) == (4, True)


def test_an_expired_token_kills_no_row(world: World) -> None:
    """Code 190 stops with exit 4 after one request; a new token sends everything."""
    world.platform.judge = lambda events: refused(190, status=401)
    report = world.run(orders(3))
    assert (exit_code([report]), report.books.released, len(world.platform.requests)) == (4, 3, 1)
    world.platform = Platform()
    assert world.run(orders(3)).books.acked == 3


def test_a_platform_that_asks_to_wait_is_left_alone_by_the_next_run_too(world: World) -> None:
    """Retry-After outlives the process: no request before it is over."""
    world.platform.judge = lambda events: refused(4, **{"retry-after": "600"})
    assert exit_code([world.run(orders(1))]) == 75
    world.platform = Platform()
    assert isinstance(world.run(orders(1)).problem, TryLater)
    assert world.platform.requests == []
    world.clock.forward(seconds=601)
    assert world.run(orders(1)).books.acked == 1


def test_a_lost_answer_is_sent_again_with_the_same_id_inside_the_window(world: World) -> None:
    """What may have arrived is in doubt, is told as such, and is sent again by the next run."""

    def lost(events: object) -> Answer:
        raise InDoubt("the connection broke")

    world.platform.judge = lost
    report = world.run(orders(2))
    assert (report.books.deferred, report.books.in_doubt, exit_code([report])) == (2, 2, 75)
    assert report.books.leaves_some
    world.platform = Platform()
    world.clock.forward(hours=46)
    again = world.run(orders(2, expires_at="2026-11-27T11:00:00"))
    assert (again.books.resent, again.books.acked) == (2, 2)


def test_a_lost_answer_is_held_once_the_platform_would_count_it_twice(world: World) -> None:
    """After the dedup window less an hour a person decides: held, exit 2, and no request."""
    world.platform.judge = lambda events: Answer(500, b"", {})
    world.run(orders(2))
    world.platform = Platform()
    world.clock.forward(hours=47, minutes=1)
    report = world.run(orders(2, expires_at="2026-11-27T11:00:00"))
    assert (report.books.held, exit_code([report]), world.platform.requests) == (2, 2, [])


def test_an_unreachable_platform_costs_nothing_of_the_window(world: World) -> None:
    """No byte left: the rows are released, not in doubt, and are new for the next run."""

    def unreachable(events: object) -> Answer:
        raise NotSent("no connection could be made")

    world.platform.judge = unreachable
    report = world.run(orders(2))
    assert (report.books.released, report.books.in_doubt, exit_code([report])) == (2, 0, 75)
    assert report.books.leaves_some
    assert len(world.slept) == 5


def test_a_withdrawal_while_in_doubt_suppresses_the_resend(world: World) -> None:
    """A row that is held now is not sent again, although it may have arrived."""
    world.platform.judge = lambda events: Answer(500, b"", {})
    world.run(orders(1))
    world.platform = Platform()
    report = world.run(orders(1, is_sendable=False, hold_reason="consent_withdrawn"))
    assert (report.books.suppressed, world.platform.requests) == (1, [])


def test_a_row_that_vanished_while_in_doubt_is_held(world: World) -> None:
    """Without its outbox row a key in doubt cannot be sent again: row_gone, exit 2."""
    world.platform.judge = lambda events: Answer(500, b"", {})
    world.run(orders(1))
    report = world.run(orders(1).clear())
    assert (report.books.held, exit_code([report])) == (1, 2)


def test_what_expired_while_it_was_due_is_recorded_once(world: World) -> None:
    """An outage is never silent: expired in the sent log and exit 2, the first time only."""
    world.run(orders(1).clear())
    world.clock.forward(days=8)
    late = orders(3, is_sendable=False, hold_reason="expired", expires_at="2026-11-27T12:00:00")
    first, second = world.run(late), world.run(late)
    assert (first.books.expired, exit_code([first])) == (3, 2)
    assert (second.books.expired, exit_code([second])) == (0, 0)


def test_what_expired_before_the_sent_log_began_is_no_loss_of_ours(world: World) -> None:
    """A first run over an old shop reports nothing as expired."""
    late = orders(3, is_sendable=False, hold_reason="expired", expires_at="2026-11-20T13:00:00")
    assert world.run(late).books.expired == 0


def test_an_event_of_the_future_waits(world: World) -> None:
    """More than a minute ahead is not sent, and is not dead."""
    ahead = orders(1, event_at="2026-11-20T14:01:01")
    assert (world.run(ahead).books.waiting, world.platform.requests) == (1, [])
    world.clock.forward(seconds=5)
    assert world.run(ahead).books.acked == 1


def test_the_deadline_defers_what_could_not_be_finished(world: World) -> None:
    """No request begins that could outlast the deadline: exit 75, nothing lost."""
    report = world.run(orders(2), deadline=NOW + timedelta(seconds=10))
    assert (report.books.deferred, exit_code([report]), world.platform.requests) == (2, 75, [])


def test_a_wrong_count_in_the_answer_is_no_success(world: World) -> None:
    """200 with fewer events than were sent leaves the batch in doubt."""
    world.platform.judge = lambda events: Answer(200, b'{"events_received": 1}', {})
    assert world.run(orders(2)).books.in_doubt == 2


def test_a_changed_event_time_does_not_send_again(world: World) -> None:
    """An acked order whose payment time is corrected into the window stays acked."""
    old = orders(1, event_at="2026-11-14T12:00:00", expires_at="2026-11-21T12:00:00")
    world.run(old)
    world.clock.forward(days=5)
    moved = orders(1, event_at="2026-11-25T12:00:00", expires_at="2026-12-02T12:00:00")
    report = world.run(moved)
    assert (report.books.already, report.books.requests) == (1, 0)


def test_a_redundant_pixel_shortens_what_may_be_sent(world: World) -> None:
    """With a pixel that sent the same event 49 hours ago, a first server event would count twice."""
    world.settings = {"pixel_redundant": True}
    old = orders(1, event_at="2026-11-18T13:00:00", expires_at="2026-11-25T13:00:00")
    assert (world.run(old).books.suppressed, world.platform.requests) == (1, [])


def _named(events: list[dict[str, object]]) -> Answer:
    path = b'{"error":{"message":"Unexpected key \\"x\\" on param \\"$[\'data\'][3]\\"","code":100}}'
    return Answer(400, path, {}) if len(events) == 100 and events[0]["event_id"] == "purchase.1" else accepted(events)


@pytest.mark.parametrize(
    ("answer", "state"),
    [(_named, State.DEAD), (rejecting(*(f"purchase.{n}" for n in range(1, 200, 2))), State.RELEASED)],
    ids=["named in the answer", "more than a search finds"],
)
def test_a_verdict_in_the_middle_of_a_run_looks_nothing_up_by_id(
    world: World, answer: Callable[[list[dict[str, object]]], Answer], state: State
) -> None:
    """In a backfill the index by id is left out; with it, each further id in no order would cost a page of it."""
    seen = []

    def judge(events: list[dict[str, object]]) -> Answer:
        with closing(sqlite3.connect(world.folder / "sent_log.sqlite")) as log:
            if not seen:
                log.execute("drop index batch_event_by_id")
            seen.append(log.execute("select count(*) from sqlite_schema where name = 'batch_event_by_id'").fetchone())
            verdicts.extend(log.execute("select state from verdict").fetchall())
        return answer(events)

    verdicts: list[tuple[str]] = []
    world.platform.judge, world.settings = judge, {"batch_size": 100}
    world.run(orders(300), deadline=NOW + timedelta(hours=5))
    assert (set(verdicts), set(seen)) == ({(state,)}, {(0,)})


@pytest.mark.parametrize("batch_size", [1, 4])
def test_all_of_what_is_read_first_may_be_bad(world: World, batch_size: int) -> None:
    """Four batches are read before the first request: the event from elsewhere is one of those behind them."""
    rows = orders(40)
    first, others = rows["event_id"].sort().head(4 * batch_size), rows["event_id"].sort().slice(4 * batch_size)
    world.platform.judge, world.settings = rejecting(*first), {"batch_size": batch_size}
    report = world.run(rows, first=first.len())
    assert (report.problem, report.books.dead, sorted(world.platform.taken)) == (None, first.len(), others.to_list())


def test_rows_that_do_not_fit_in_the_middle_of_a_run_leave_its_figures(world: World) -> None:
    """Exit 65; what was sent before is told, and other destinations of the run are not touched by it."""
    rows = orders(4)

    def parts(due: pl.DataFrame) -> Iterator[pl.DataFrame]:
        yield due.head(2)
        raise QualityGateFailed("3 of 4 rows")

    with world.ledger() as ledger:
        made = world.plan(ledger, rows)
        around = Surroundings(ledger, world.platform, world.clock, world.sleep, monotonic=world.clock.monotonic)
        report = deliver(made, parts(whole(made, rows)), around)
    assert (str(report.problem), exit_code([report])) == ("3 of 4 rows", 65)
    assert (report.books.acked, report.books.deferred, report.books.is_balanced) == (2, 2, True)
