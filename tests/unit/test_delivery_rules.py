"""Delivery by the rules of time and number: windows by action source, lanes, waits, the breaker, the clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.delivering import NOW, Platform, World, accepted, orders, refused, rejecting
from uploader.delivery.run import exit_code
from uploader.errors import PlatformRefused, TryLater
from uploader.ledger import State, reading
from uploader.transport import Answer, NotSent

Events = list[dict[str, object]]
LOST = Answer(500, b"", {})


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop that never sent anything."""
    return World(tmp_path)


def states(world: World) -> dict[str, int]:
    """Return how many keys are in which state."""
    with world.ledger() as ledger:
        found = reading.states(ledger, "meta:42", NOW - timedelta(days=99))["state"]
    return dict(found.value_counts().rows())


def dated(date: str) -> Callable[[Events], Answer]:
    """Take everything, and say what time it is there."""
    return lambda events: Answer(200, accepted(events).body, {"date": date})


# ---------------------------------------------------------------- windows


def test_what_the_platform_never_recognizes_is_not_sent_twice(world: World) -> None:
    """Meta drops no repetition of a messaging event: after one lost answer a person decides."""
    rows = orders(1, action_source="business_messaging")
    world.platform.judge = lambda _: LOST
    world.run(rows)
    assert len(world.platform.requests) == 1
    world.clock.forward(minutes=1)
    assert (world.run(rows).books.held, len(world.platform.requests)) == (1, 1)


def test_what_may_be_repeated_shares_no_request_with_what_may_not(world: World) -> None:
    """A lost answer must not put a messaging event into a retry."""
    world.run(pl.concat([orders(2), orders(4, action_source="business_messaging").tail(2)]))
    assert sorted(len(request) for request in world.platform.requests) == [2, 2]


def test_what_expires_within_the_hour_goes_first_and_alone(world: World) -> None:
    """One batch for the urgent, then the rest in order of time."""
    urgent = orders(3, expires_at="2026-11-20T14:55:00").tail(1)
    world.run(pl.concat([orders(2), urgent]))
    assert world.platform.requests == [["purchase.3"], ["purchase.1", "purchase.2"]]


# ---------------------------------------------------------------- what changed meanwhile


def test_a_row_that_changed_before_its_resend_is_told(world: World) -> None:
    """The platform keeps the first of the two, so the report says that there are two."""
    world.platform.judge = lambda _: LOST
    world.run(orders(2))
    world.platform = Platform()
    world.clock.forward(hours=1)
    report = world.run(pl.concat([orders(1), orders(2, email_sha256="b" * 64).tail(1)]))
    assert (report.books.resent, report.books.changed) == (2, 1)
    assert "first try: 1" in report.warnings[0]


def test_an_id_that_is_used_for_another_time_is_told(world: World) -> None:
    """It is not sent again, and the warning names it."""
    world.run(orders(2))
    moved = orders(2, event_at="2026-11-19T08:00:00").head(1)
    report = world.run(pl.concat([moved, orders(2).tail(1)]))
    assert (report.books.already, len(world.platform.requests)) == (2, 1)
    assert "purchase.1" in report.warnings[0]


# ---------------------------------------------------------------- waiting


def test_a_short_wait_is_waited_for(world: World) -> None:
    """Retry-After 7: seven seconds later the same batch goes again, as a new intent."""
    world.platform.judge = lambda events: (
        refused(4, **{"retry-after": "7"}) if len(world.platform.requests) == 1 else accepted(events)
    )
    report = world.run(orders(2))
    assert (report.books.acked, world.slept, report.problem) == (2, [7.0], None)


def test_a_wait_beyond_the_deadline_ends_the_run_at_once(world: World) -> None:
    """It is remembered for the next run."""
    world.platform.judge = lambda _: refused(4, **{"retry-after": "50"})
    report = world.run(orders(1), deadline=NOW + timedelta(seconds=100))
    assert (exit_code([report]), world.slept, states(world)) == (75, [], {"released": 1})
    with world.ledger() as ledger:
        assert ledger.paused_until("meta:42") == NOW + timedelta(seconds=50)


def test_five_failures_in_a_row_open_the_breaker_for_longer_each_time(world: World) -> None:
    """5, 10, 20, 40, 60, 60 minutes; while it is open there is no request, and one batch is the trial."""

    def unreachable(_: Events) -> Answer:
        raise NotSent("no connection could be made")

    world.platform.judge = unreachable
    world.settings = {"batch_size": 1}
    assert exit_code([world.run(orders(9))]) == 75
    for minutes in (5, 10, 20, 40, 60, 60):
        asked = len(world.platform.requests)
        world.clock.forward(minutes=minutes, seconds=-90)
        assert isinstance(world.run(orders(9)).problem, TryLater)
        assert len(world.platform.requests) == asked
        world.clock.forward(seconds=91)
        world.run(orders(9))
        assert 0 < len(world.platform.requests) - asked <= 6
    world.platform = Platform()
    world.clock.forward(hours=1)
    assert world.run(orders(9)).books.acked == 9
    with world.ledger() as ledger:
        assert ledger.breaker("meta:42").failures == 0


def test_one_batch_that_fails_does_not_stop_the_others(world: World) -> None:
    """Its rows are in doubt; the rest is delivered; exit 75 says that something is left."""
    world.settings = {"batch_size": 2}
    world.platform.judge = lambda events: LOST if events[0]["event_id"] == "purchase.3" else accepted(events)
    report = world.run(orders(6))
    assert (report.books.acked, report.books.in_doubt, exit_code([report])) == (4, 2, 75)


# ---------------------------------------------------------------- clocks


def test_a_clock_that_differs_by_three_minutes_is_told(world: World) -> None:
    """The platform's Date header is the other clock."""
    world.platform.judge = dated("Fri, 20 Nov 2026 14:03:00 GMT")
    report = world.run(orders(1))
    assert (report.books.acked, report.problem) == (1, None)
    assert "14:03:00" in report.warnings[0]


def test_a_clock_that_is_wrong_stops_the_run_and_judges_nobody(world: World) -> None:
    """What looks expired by our clock is not recorded when the platform says that it is two days earlier."""
    world.settings = {"batch_size": 1}
    world.platform.judge = dated("Wed, 18 Nov 2026 14:00:00 GMT")
    report = world.run(pl.concat([orders(2), orders(3, expires_at="2026-11-20T13:00:00").tail(1)]))
    assert (exit_code([report]), len(world.platform.requests), states(world)) == (75, 1, {"acked": 1})


def test_a_machine_that_slept_between_intent_and_request_does_not_post(world: World) -> None:
    """The monotonic clock shows it too, where the wall's was set back meanwhile."""
    ticks = iter([0.0, 0.0, 700.0])
    report = world.run(orders(1), monotonic=lambda: next(ticks, 700.0))
    assert (world.platform.requests, states(world), exit_code([report])) == ([], {"released": 1}, 75)


# ---------------------------------------------------------------- quarantine


def test_the_search_leaves_the_rest_for_a_later_run(world: World) -> None:
    """64 requests for a batch; what is undecided then is released, waits 15 minutes, and goes in smaller batches."""
    bad = {f"purchase.{n}" for n in range(1, 1001, 20)}
    good_first = orders(1001, event_at="2026-11-20T11:00:00").tail(1)
    rows = pl.concat([good_first, orders(1000)])
    world.settings = {"batch_size": 1000}
    world.platform.judge = rejecting(*bad)
    first = world.run(rows)
    assert len(world.platform.requests) <= 64 + 1
    assert (first.books.released > 0, first.books.held, world.run(rows).books.deferred) == (
        True,
        0,
        first.books.released,
    )
    for _ in range(3):
        world.clock.forward(minutes=16)
        world.run(rows)
    assert states(world) == {"acked": 951, "dead": 50}


def test_a_named_event_that_is_not_to_blame_is_delivered(world: World) -> None:
    """An answer that always names the first event is not believed for long."""
    named = b'{"error":{"message":"$[\'data\'][0]","code":100}}'
    world.platform.judge = lambda events: (
        Answer(400, named, {}) if any(event["event_id"] == "purchase.7" for event in events) else accepted(events)
    )
    world.run(pl.concat([orders(10), orders(11, expires_at="2026-11-20T14:50:00").tail(1)]))
    with world.ledger() as ledger:
        dead = reading.states(ledger, "meta:42", NOW - timedelta(days=9)).filter(pl.col("state") == State.DEAD)
    assert dead["event_id"].to_list() == ["purchase.7"]


def test_an_answer_that_names_everybody_blames_nobody(world: World) -> None:
    """All positions named, in every answer: the mapping is wrong, exit 4, nothing dead."""
    world.platform.judge = lambda events: Answer(
        400,
        ('{"error":{"message":"' + " ".join(f"$['data'][{n}]" for n in range(len(events))) + '","code":100}}').encode(),
        {},
    )
    report = world.run(orders(50))
    assert isinstance(report.problem, PlatformRefused)
    assert (report.books.dead, len(world.platform.requests) <= 12) == (0, True)


def test_what_was_delivered_in_a_part_of_its_batch_does_not_expire(world: World) -> None:
    """The refused whole is in the window that a later run reads, the accepted part with the older events is not."""
    old = {"event_at": "2026-11-14T15:00:00", "expires_at": "2026-11-21T15:00:00"}
    rows = pl.concat([orders(4, **old), orders(6).tail(2)])
    world.platform.judge = rejecting("purchase.6")
    assert (world.run(rows).books.acked, world.platform.requests[1]) == (5, ["purchase.1", "purchase.2", "purchase.3"])
    world.clock.forward(days=1, hours=2)
    late = orders(4, is_sendable=False, hold_reason="expired", **old)
    assert world.run(pl.concat([late, orders(6).tail(2)])).books.expired == 0
    assert states(world) == {"acked": 5, "dead": 1}


# ---------------------------------------------------------------- two troubles in one run


def test_a_witness_is_an_event_that_was_not_tried(world: World) -> None:
    """Batch one gets no answer, batch two is refused whole: the doubt about batch one stays as old as it is."""
    world.settings = {"batch_size": 4}
    world.platform.judge = lambda events: LOST if "purchase.1" in str(events) else refused(100, 2804019)
    world.run(orders(8))
    with world.ledger() as ledger:
        doubts = reading.in_doubt(ledger, "meta:42")
    assert sorted(doubts["event_id"]) == [f"purchase.{n}" for n in range(1, 5)]


def test_probes_keep_the_doubt_that_a_half_got(world: World) -> None:
    """The left half's first try had no answer and its second was refused: its events stay in doubt."""
    lost = iter([False, True])
    world.platform.judge = lambda _: LOST if next(lost, False) else refused(100, 2804019)
    world.run(orders(10))
    assert states(world) == {"intent": 5, "released": 5}


def test_what_becomes_too_old_in_a_long_search_is_not_called_bad(world: World) -> None:
    """Slow answers, one bad event, twelve minutes left: the others expire, and are told as expired."""

    def slowly(events: Events) -> Answer:
        world.clock.forward(seconds=50)
        return rejecting("purchase.9")(events)

    world.platform.judge = slowly
    rows = orders(40, expires_at="2026-11-20T14:12:00")
    world.run(rows)
    found = states(world)
    assert (found.get("dead", 0) <= 1, found["expired"] > 0) == (True, True)
    assert world.clock.now < NOW + timedelta(minutes=12)


def test_a_wrong_mapping_kills_nothing_in_small_batches(world: World) -> None:
    """Two events in a batch: judged over the run, not over the batch."""
    world.settings = {"batch_size": 2}
    world.platform.judge = lambda _: refused(100, 2804019)
    report = world.run(orders(20))
    assert (report.books.dead, exit_code([report]), len(world.platform.requests) <= 12) == (0, 4, True)


def test_a_clock_that_is_set_in_the_middle_of_a_run_judges_nobody(world: World) -> None:
    """Eight days later after the first answer: the others are left as they are."""
    world.settings = {"batch_size": 1}

    def jump(events: Events) -> Answer:
        world.clock.now = NOW + timedelta(days=8)
        return accepted(events)

    world.platform.judge = jump
    world.run(orders(3), monotonic=lambda: 0.0)
    assert states(world) == {"acked": 1}


def test_an_outage_is_told_also_where_every_run_leaves_older_events_out(world: World) -> None:
    """A fixed --since does not make a loss silent."""
    since = NOW - timedelta(days=30)
    world.run(orders(1), since=since)
    world.clock.forward(days=8)
    late = orders(3, is_sendable=False, hold_reason="expired", expires_at="2026-11-27T12:00:00").tail(2)
    assert world.run(late, since=since).books.expired == 2


def test_a_clock_that_ran_ahead_does_not_block_the_log(world: World) -> None:
    """What it wrote last is put right by the platform's time, although no event was settled."""
    world.clock.forward(days=2)
    world.platform.judge = lambda _: Answer(500, b"", {"date": "Fri, 20 Nov 2026 14:00:00 GMT"})
    world.run(orders(1, expires_at="2026-11-27T11:00:00"))
    world.clock.now = NOW + timedelta(minutes=10)
    world.platform = Platform()
    assert world.run(orders(2).tail(1)).books.acked == 1
