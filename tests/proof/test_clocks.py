"""Clocks that are wrong, jump, or are read in another zone: no event is given up, or sent twice, because of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.delivering import NOW
from tests.support.receiver import Fate, Shop, in_turn, many, outbox, shop
from uploader.clock import parse_time, pretended
from uploader.delivery.planning import check_freshness
from uploader.delivery.run import exit_code
from uploader.errors import ConfigurationError, TryLater, UsageError
from uploader.transport import Answer

HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def orders_aged(*ages: timedelta, at: datetime = NOW) -> pl.DataFrame:
    """Return an outbox, built at ``at``, with one order of each age: purchase.0, purchase.1, …"""
    return outbox({f"purchase.{n}": at - age for n, age in enumerate(ages)}, at)


# ---------------------------------------------------------------- the browser's pixel


@pytest.mark.parametrize(
    ("age", "ended"),
    [(46 * HOUR, "acked"), (47 * HOUR, "acked"), (47 * HOUR + timedelta(seconds=1), "pixel"), (49 * HOUR, "pixel")],
)
def test_an_event_that_the_pixel_sent_too_goes_within_its_window(
    tmp_path: Path, age: timedelta, ended: str, figure: Callable[[str, str], None]
) -> None:
    """First sent later than 47 hours after the pixel it would count twice: then it is suppressed."""
    world = shop(tmp_path, pixel_redundant=True)
    report = world.run(orders_aged(age))
    if ended == "acked":
        assert (report.books.acked, exit_code([report])) == (1, 0)
    else:
        assert world.reasons("suppressed") == {"purchase.0": "pixel_window"}
        assert (world.platform.requests, exit_code([report])) == ([], 0)
    figure("D9", f"first sent {age / HOUR:.4g} h after the pixel: {'sent' if ended == 'acked' else 'suppressed'}")


# ---------------------------------------------------------------- jumps


def with_a_past(folder: Path) -> tuple[Shop, pl.DataFrame]:
    """Return a shop an hour after a run that left one order in doubt and never tried an old one; and its outbox.

    A clock two days ahead would hold the first and expire the second.
    """
    world = shop(folder, batch_size=1)
    rows = orders_aged(2 * HOUR, 6 * DAY, HOUR, HOUR / 2)
    world.clock.now = NOW - HOUR
    world.platform.way = lambda: Fate.UNHEARD
    world.run(rows.head(1))
    world.clock.now, world.platform.way = NOW, lambda: Fate.ANSWERED
    return world, rows


@pytest.mark.parametrize("back", [2 * DAY, timedelta(minutes=6)])
def test_a_clock_behind_the_sent_log_stops_the_run(tmp_path: Path, back: timedelta) -> None:
    """Two days back, or six minutes: no request, nothing judged, and the message says which clock to look at."""
    world, rows = with_a_past(tmp_path)
    before, made = world.states(), len(world.platform.requests)
    world.clock.wrong_by = -HOUR - back
    with pytest.raises(TryLater, match="clock"):
        world.run(rows)
    assert (world.states(), len(world.platform.requests)) == (before, made)


def test_a_clock_corrected_by_a_little_goes_on(tmp_path: Path) -> None:
    """Four minutes back, as a time server corrects them, stop nobody."""
    world, rows = with_a_past(tmp_path)
    world.run(rows)
    world.clock.wrong_by = -timedelta(minutes=4)
    assert exit_code([world.run(rows)]) == 0


@pytest.mark.parametrize("jump", [2 * DAY, timedelta(minutes=20), -timedelta(minutes=20)])
def test_a_clock_that_the_platform_contradicts_judges_nothing(
    tmp_path: Path, jump: timedelta, figure: Callable[[str, str], None]
) -> None:
    """One request shows that the clock is wrong: the run stops with 75, and no event is expired or held for it."""
    world, rows = with_a_past(tmp_path)
    if jump < timedelta():
        world.clock.now += HOUR
    made = len(world.platform.requests)
    world.clock.wrong_by = jump
    report = world.run(rows)
    assert len(world.platform.requests) - made == 1
    assert exit_code([report]) == 75
    assert "clock" in str(report.problem)
    assert {"expired", "held", "suppressed"} & set(world.states().values()) == set()
    figure(
        "D12", f"clock wrong by {jump / HOUR:+.4g} h, the platform's Date right: stopped after 1 request, 0 expiries"
    )


@pytest.mark.parametrize("jump", [2 * DAY, -2 * DAY])
def test_a_clock_that_jumps_in_the_middle_of_a_run_stops_it(tmp_path: Path, jump: timedelta) -> None:
    """The answer to the request in flight shows it; what is left waits for the next run."""
    world, rows = with_a_past(tmp_path)

    def way() -> Fate:
        world.clock.wrong_by = jump
        return Fate.ANSWERED

    made, world.platform.way = len(world.platform.requests), way
    report = world.run(rows)
    assert (len(world.platform.requests) - made, exit_code([report])) == (1, 75)
    assert {"expired", "held", "suppressed"} & set(world.states().values()) == set()


@pytest.mark.parametrize("jump", [2 * DAY, timedelta(minutes=20)])
def test_a_clock_that_is_put_right_again_sends_everything(
    tmp_path: Path, jump: timedelta, figure: Callable[[str, str], None]
) -> None:
    """What a run stamped with a time in the future keeps no later run from its work."""
    world, rows = with_a_past(tmp_path)
    world.clock.wrong_by = jump
    world.run(rows)
    world.clock.wrong_by = timedelta()
    world.clock.forward(hours=1)
    report = world.run(rows)
    assert exit_code([report]) == 0
    assert (set(world.states().values()), world.platform.doubles) == ({"acked"}, [])
    figure("D12", f"{jump / HOUR:+.4g} h and back: everything acked an hour later, 0 double")


def test_an_intent_stamped_in_the_future_is_not_sent_again(tmp_path: Path) -> None:
    """Nobody knows when it was really made: as soon as the clock is right it is held, and not resent days later."""
    world, rows = shop(tmp_path, batch_size=1), orders_aged(2 * HOUR, HOUR)
    world.clock.wrong_by = 2 * DAY
    world.platform.way = in_turn([Fate.UNHEARD] * 6)
    world.run(rows)
    world.clock.wrong_by = timedelta()
    for _ in range(100):
        world.clock.forward(hours=1)
        with suppress(TryLater):
            world.run(rows)
    assert (world.platform.doubles, world.states()) == ([], {"purchase.0": "held", "purchase.1": "acked"})


def test_a_jump_between_build_and_run_is_refused_before_anything_is_judged() -> None:
    """When all events seem too old there is no request to show the error, but the build seems too old as well."""
    for jump in (2 * DAY, 20 * DAY):
        with pytest.raises(TryLater, match="dbt build"):
            check_freshness(NOW.replace(tzinfo=None), NOW + jump, 24)


@pytest.mark.parametrize(("minutes", "code"), [(3, 0), (-3, 0), (14, 0), (-14, 0), (20, 75), (-20, 75)])
def test_a_small_difference_is_told_and_a_large_one_stops(
    tmp_path: Path, minutes: int, code: int, figure: Callable[[str, str], None]
) -> None:
    """More than two minutes between our clock and the platform's are told; more than fifteen stop the run."""
    world = shop(tmp_path, batch_size=1)
    world.clock.wrong_by = -timedelta(minutes=minutes)
    report = world.run(many(3))
    assert (exit_code([report]), len(world.platform.requests)) == (code, 1 if code else 3)
    assert report.books.acked == (1 if code else 3)
    told = [*report.warnings, str(report.problem)]
    assert any("clock" in text for text in told)
    figure("D12", f"the platform's Date differs by {minutes:+d} min: {'stopped' if code else 'a warning'}")


def test_equal_clocks_are_not_told(tmp_path: Path) -> None:
    """A minute's difference is no news."""
    world = shop(tmp_path)
    world.clock.wrong_by = timedelta(minutes=1)
    assert world.run(many(3)).warnings == ()


# ---------------------------------------------------------------- zones and leap seconds


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run this process in another zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("switch", ["2026-03-29T01:00", "2026-10-25T01:00", "2026-11-01T06:00", "2026-10-03T15:30"])
def test_summer_time_moves_no_limit(tmp_path: Path, zone: str, switch: str) -> None:
    """Around the change to and from summer time, ages, windows and expiries are the same in every zone."""
    begin = datetime.fromisoformat(switch).replace(tzinfo=UTC)
    world = shop(tmp_path, begin - 47 * HOUR - HOUR / 2)
    doubtful, placed = world.clock.now - HOUR, {}
    world.platform.way = in_turn([Fate.UNHEARD] * 6)
    world.run(outbox({"purchase.doubt": doubtful}, world.clock.now))
    ended = {}
    for half_hour in range(4):
        now = world.clock.now = begin + half_hour * HOUR / 2 - HOUR
        placed[f"purchase.{half_hour}"] = now - 7 * DAY + 2 * HOUR - half_hour * HOUR / 2
        world.run(outbox({"purchase.doubt": doubtful, **placed}, now))
        ended[half_hour] = world.states()
    # An hour is kept from the end of the accepted age, and ten minutes for the request.
    assert [ended[n][f"purchase.{n}"] for n in range(4)] == ["acked", "acked", "expired", "expired"]
    # In doubt since 47.5 h before the switch: 46.5 h an hour before it.
    assert ended[0]["purchase.doubt"] == "acked"


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2016-12-31 23:59:60", "2015-06-30T23:59:60+00:00"])
def test_a_leap_second_is_an_error_that_names_the_setting(text: str) -> None:
    """Python knows no sixtieth second: the message says what is wrong, and there is no traceback."""
    with pytest.raises(UsageError, match=r"--since is .*:60"):
        parse_time(text, "--since", UsageError)
    with pytest.raises(ConfigurationError, match=r"UPLOADER_NOW is .*:60"):
        pretended({"UPLOADER_NOW": text})


def test_a_leap_second_in_an_answer_is_no_reason_to_stop(tmp_path: Path) -> None:
    """A Date header with a sixtieth second says nothing about our clock."""
    world = shop(tmp_path)
    judge = world.platform

    def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
        answer = judge(url, body, headers)
        return Answer(answer.status, answer.body, {**answer.headers, "date": "Sat, 31 Dec 2016 23:59:60 GMT"})

    world.platform = post  # type: ignore[assignment]
    report = world.run(many(3))
    assert (report.books.acked, report.warnings, exit_code([report])) == (3, (), 0)
