"""Delivery where two troubles meet: a refusal after a lost answer, a pause in the middle, a mapping that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.at_once import close_books, plan, rows_of
from tests.support.delivering import NOW, Platform, World, accepted, orders, refused, rejecting, target
from uploader.delivery.run import exit_code
from uploader.delivery.surroundings import Counter
from uploader.delivery.targets import targets
from uploader.errors import BooksDoNotBalance, ConfigurationError, QualityGateFailed, TryLater
from uploader.ledger import State, reading, summary
from uploader.ledger.states import empty_states
from uploader.settings import DestinationSettings, Settings
from uploader.transport import Answer, InDoubt

Events = list[dict[str, object]]
LOST = Answer(500, b"", {})


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop that never sent anything."""
    return World(tmp_path)


def in_turn(*answers: Callable[[Events], Answer]) -> Callable[[Events], Answer]:
    """Answer one request after the other, the last answer for all that follow."""
    left = list(answers)

    def judge(events: Events) -> Answer:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer(events)

    return judge


def states(world: World) -> dict[str, int]:
    """Return how many keys are in which state."""
    with world.ledger() as ledger:
        return {state: rows for state, rows in summary.counts(ledger)["meta:42"].items() if rows}


def test_a_refusal_after_a_lost_answer_leaves_the_doubt(world: World) -> None:
    """The first try may have arrived: the parts are in doubt, and a single event is held, not dead."""
    world.platform.judge = in_turn(lambda _: LOST, lambda _: refused(100, 2804050))
    report = world.run(orders(1))
    assert (states(world), exit_code([report])) == ({"held": 1}, 2)


def test_parts_of_a_doubtful_batch_stay_doubtful(world: World) -> None:
    """A throttle in the middle of the search releases nothing that may have arrived."""
    world.platform.judge = in_turn(lambda _: LOST, lambda _: refused(100, 2804050), lambda _: refused(4))
    world.run(orders(10))
    assert states(world) == {"intent": 10}


def test_a_search_cut_short_leaves_no_false_doubt(world: World) -> None:
    """What was refused before the throttle was provably not taken."""
    bad, throttled = (lambda _: refused(100, 2804050)), (lambda _: refused(4))
    world.platform.judge = in_turn(bad, bad, throttled)
    report = world.run(orders(10))
    assert (report.books.in_doubt, report.books.released) == (0, 10)


def test_a_new_event_does_not_share_an_old_doubt(world: World) -> None:
    """In-doubt and new rows go in requests of their own."""
    world.platform.judge = lambda _: LOST
    world.run(orders(1))
    world.platform.judge = lambda _: refused(4)
    assert world.run(orders(10)).books.in_doubt == 1


def test_a_process_that_was_stopped_for_days_does_not_post_again(world: World) -> None:
    """An intent older than ten minutes is not retried by the process that made it."""

    def sleep_for_days(_seconds: float) -> None:
        world.clock.forward(days=3)

    world.platform.judge = lambda _: LOST
    world.run(orders(1), sleep=sleep_for_days)
    assert len(world.platform.requests) == 1


def test_no_request_is_made_after_a_signal_or_the_deadline(world: World) -> None:
    """Both are asked again after the pause before a retry."""
    world.platform.judge = lambda _: LOST
    stopped: list[bool] = []
    world.run(orders(1), sleep=lambda _s: stopped.append(True), stop=lambda: bool(stopped))
    assert len(world.platform.requests) == 1
    late = World(world.folder / "late")
    late.platform.judge = world.platform.judge
    late.folder.mkdir()
    late.run(orders(1), sleep=lambda _s: late.clock.forward(minutes=5), deadline=NOW + timedelta(minutes=3))
    assert len(late.platform.requests) == 1


def test_neighbours_that_are_bad_do_not_stop_the_others(world: World) -> None:
    """Sixteen bad rows side by side are found, although they look alike."""
    bad = sorted(f"purchase.{n}" for n in range(1, 101))[:16]
    world.platform.judge = rejecting(*bad)
    report = world.run(orders(100))
    assert (report.books.acked, report.books.dead, exit_code([report])) == (84, 16, 2)


@pytest.mark.parametrize("count", [3, 7, 8, 15])
def test_a_wrong_mapping_kills_nothing_in_a_small_shop(world: World, count: int) -> None:
    """All refused alike is exit 4, also for a handful."""
    world.platform.judge = lambda _: refused(100, 2804019)
    report = world.run(orders(count))
    assert (report.books.dead, exit_code([report]), len(world.platform.requests) <= 12) == (0, 4, True)


def test_settings_that_make_no_request_leave_no_doubt(world: World) -> None:
    """A malformed version is found before anything is written down, and doctor can name it."""
    world.settings = {"api_version": "26.0"}
    with pytest.raises(ConfigurationError, match="version"):
        world.run(orders(1))
    with world.ledger() as ledger:
        assert reading.in_doubt(ledger, "meta:42").is_empty()
    assert "version" in target(api_version="26.0").problems[0]


def test_a_write_that_was_rolled_back_does_not_raise_the_mark(world: World) -> None:
    """A full disk must not make the sent log look older than it is."""
    world.run(orders(1))
    with world.ledger() as ledger:
        before = ledger.high_water
        broken = pl.DataFrame(
            {"event_name": "Purchase", "event_id": "x", "event_at": 0, "reason": None, "was_in_doubt": False}
        )
        with pytest.raises(TryLater):
            ledger.judge("meta:42", broken, State.HELD)
        assert ledger.high_water == before


def test_a_damaged_page_of_the_sent_log_is_exit_3(world: World) -> None:
    """Reading a damaged table stops the run with the advice to restore."""
    world.run(orders(300))
    path = world.folder / "sent_log.sqlite"
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(Exception, match="not as its last run left it") as damaged:
        world.run(orders(300))
    assert damaged.value.exit_code == 3


def test_a_shop_sale_knows_no_pixel(world: World) -> None:
    """A redundant pixel shortens the window of the website only."""
    world.settings = {"pixel_redundant": True}
    old = {"event_at": "2026-11-17T12:00:00", "expires_at": "2027-01-10T12:00:00", "action_source": "physical_store"}
    assert world.run(orders(1, **old)).books.acked == 1


def test_a_resend_ends_with_the_pixels_window(world: World) -> None:
    """First sent 40 hours after the pixel and lost: ten hours later it would count twice."""
    world.settings = {"pixel_redundant": True}
    rows = orders(1, event_at="2026-11-18T22:00:00", expires_at="2026-11-25T22:00:00")
    world.platform.judge = lambda _: LOST
    world.run(rows)
    world.platform, world.clock.now = Platform(), NOW + timedelta(hours=10)
    assert (world.run(rows).books.held, world.platform.requests) == (1, [])


def test_an_unreadable_time_suppresses_what_is_in_doubt(world: World) -> None:
    """The row is there and held: that is not the same as gone."""
    world.platform.judge = lambda _: LOST
    world.run(orders(1))
    held = {"is_sendable": False, "hold_reason": "invalid_time", "event_at": None, "expires_at": None}
    assert world.run(orders(1, **held)).books.suppressed == 1


@pytest.mark.parametrize("change", [{"event_id": None}, {"event_id": "purchase.2"}])
def test_rows_that_cannot_be_kept_apart_stop_the_run(world: World, change: dict[str, object]) -> None:
    """An edited model that lets them through is told which row: nothing is lost in silence."""
    rows = pl.concat([orders(2), orders(3, **change).tail(1)])
    with pytest.raises(QualityGateFailed, match=r"purchase\.[23]"):
        world.run(rows)


def test_a_new_dataset_lost_nothing_before_it_began(world: World) -> None:
    """Events that expired before a destination's first run are no loss of its own."""
    world.run(orders(1))
    world.clock.forward(days=8)
    late = orders(3, is_sendable=False, hold_reason="expired", expires_at="2026-11-27T12:00:00")
    other = Settings(destinations={"meta": DestinationSettings(dataset_id="43", base_url="http://127.0.0.1:9")})
    with world.ledger() as ledger:
        fresh = targets(["meta"], other, {"META_ACCESS_TOKEN": "t"})[0]
        keyed = late.with_columns(pl.lit(0, pl.UInt32).alias("row_digest"))
        assert rows_of(plan(fresh, keyed, ledger, world.clock())).is_empty()


def test_a_lost_answer_then_success_is_one_event(world: World) -> None:
    """A retry in the same run repeats the very bytes."""
    bodies: list[bytes] = []

    def post(_url: str, body: bytes, _headers: object) -> Answer:
        bodies.append(body)
        if len(bodies) == 1:
            raise InDoubt("lost")
        return accepted([{}, {}])

    world.platform = post  # type: ignore[assignment]
    assert world.run(orders(2)).books.acked == 2
    assert bodies[0] == bodies[1]


def test_a_crash_during_the_request_leaves_an_intent(world: World) -> None:
    """The intent is on the disk before the first byte: after a crash it is known what may have arrived."""

    class Crash(BaseException):
        pass

    def post(_url: str, _body: bytes, _headers: object) -> Answer:
        raise Crash

    world.platform = post  # type: ignore[assignment]
    with pytest.raises(Crash):
        world.run(orders(3))
    assert states(world) == {"intent": 3}


def test_a_lost_resend_does_not_move_the_first_intent(world: World) -> None:
    """The platform's window began with the first try: 40 hours and 8 more are too late."""
    rows = orders(1, expires_at="2026-11-27T12:00:00")
    world.platform.judge = lambda _: LOST
    world.run(rows)
    world.clock.forward(hours=40)
    assert world.run(rows).books.resent == 1
    world.platform = Platform()
    world.clock.forward(hours=8)
    assert (world.run(rows).books.held, world.platform.requests) == (1, [])


def test_a_commit_of_the_sent_log_reaches_the_disk(world: World) -> None:
    """Write-ahead log, and a sync with each commit (synchronous = FULL, which SQLite calls 2)."""
    with world.ledger() as ledger:
        pragmas = [ledger.store.rows(f"pragma {name}", {})[0][0] for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]


def test_what_expires_while_the_run_lasts_is_not_sent(world: World) -> None:
    """Judged again before each request: the platform would refuse the whole batch for it."""
    world.settings = {"batch_size": 1}

    def slowly(events: Events) -> Answer:
        world.clock.forward(minutes=8)
        return accepted(events)

    world.platform.judge = slowly
    report = world.run(orders(2, expires_at="2026-11-20T14:15:00"))
    assert (report.books.acked, report.books.expired, len(world.platform.requests)) == (1, 1, 1)


def test_what_since_leaves_out_is_not_gone(world: World) -> None:
    """An older key in doubt is left as it is, not held as if its row had vanished."""
    rows = pl.concat([orders(1, event_at="2026-11-18T12:00:00"), orders(2).tail(1)])
    world.platform.judge = lambda _: LOST
    world.run(rows)
    with world.ledger() as ledger:
        keyed = rows.with_columns(pl.lit(0, pl.UInt32).alias("row_digest"))
        made = plan(target(), keyed, ledger, world.clock(), NOW - timedelta(days=1))
    assert rows_of(made).select("event_id", "standing").rows() == [("purchase.2", "resend")]


def test_books_that_do_not_balance_are_told(world: World) -> None:
    """What the loop counted must be what the sent log says."""
    world.run(orders(2))
    with world.ledger() as ledger:
        rows = rows_of(world.plan(ledger, orders(3)))
        states_now = reading.states(ledger, "meta:42", NOW - timedelta(days=1))
    assert close_books(rows, states_now, Counter()).deferred == 1
    with pytest.raises(BooksDoNotBalance, match="a bug"):
        close_books(rows, states_now, Counter(acked=1))


def test_rows_that_a_run_did_not_reach_are_as_they_were_planned(world: World) -> None:
    """One is in doubt, one was released: the books say so without asking the sent log again."""
    world.platform.judge = lambda _: LOST
    world.run(orders(1))
    with world.ledger() as ledger:
        rows = rows_of(world.plan(ledger, orders(2)))
    books = close_books(rows, empty_states(), Counter())
    assert (books.read, books.deferred, books.in_doubt) == (2, 2, 1)
    released = close_books(rows.with_columns(state=pl.lit("released")), empty_states(), Counter())
    assert (released.released, released.deferred) == (2, 0)
