"""The time that is passed in."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine

from uploader import clock
from uploader.errors import ConfigurationError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_without_the_variable_the_clock_is_the_wall_clock() -> None:
    """A plain run believes the machine."""
    with time_machine.travel(NOON, tick=False):
        assert clock.system_clock({})() == NOON


def test_the_clock_begins_at_the_variable() -> None:
    """UPLOADER_NOW is where time begins, whatever the machine says."""
    now = clock.system_clock({"UPLOADER_NOW": "2020-01-01T00:00:00Z"})()
    assert timedelta(0) <= now - datetime(2020, 1, 1, tzinfo=UTC) < timedelta(minutes=1)


def test_the_clock_ticks_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pretended time passes like real time, so that deadlines and pauses still work."""
    seconds = iter([100.0, 100.0, 130.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    ticking = clock.system_clock({"UPLOADER_NOW": "2026-11-20T12:00:00Z"})
    assert (ticking(), ticking()) == (NOON, NOON + timedelta(seconds=30.5))


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_variable_pretends_nothing(text: str) -> None:
    """Schedulers hand over empty variables for what nobody filled in."""
    assert clock.pretended({"UPLOADER_NOW": text}) is None


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T12:00:00Z", "2026-11-20T13:00:00+01:00", "2026-11-20 12:00", "2026-11-20T12:00:00", " 2026-11-20T12 "],
)
def test_a_time_is_read_as_utc(text: str) -> None:
    """An offset is honoured, and a time without one is UTC."""
    assert clock.parse_time(text, "--since") == NOON


@pytest.mark.parametrize("text", ["yesterday", "20.11.2026", "2026-13-01"])
def test_what_is_no_time_is_told_with_its_name_and_an_example(text: str) -> None:
    """The message names the variable, what stands in it, and how to write it."""
    with pytest.raises(ConfigurationError) as caught:
        clock.system_clock({"UPLOADER_NOW": text})
    message = f"The environment variable UPLOADER_NOW is '{text}', which is no ISO 8601 time"
    assert str(caught.value) == f"{message}; write it like 2026-11-20T12:00:00Z."


def test_naive_drops_the_zone_after_turning_to_utc() -> None:
    """The warehouse and the sent log keep UTC without a zone."""
    berlin = datetime(2026, 11, 20, 13, tzinfo=timezone(timedelta(hours=1)))
    assert clock.naive(berlin) == datetime(2026, 11, 20, 12)


def test_microseconds_count_from_1970_in_utc() -> None:
    """With a zone or without, the same moment is the same number."""
    bare = NOON.replace(tzinfo=None)
    assert clock.microseconds(NOON) == clock.microseconds(bare) == 1_795_176_000_000_000
