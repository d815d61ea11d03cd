"""The time, as something that is passed in."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, overload

from uploader.errors import ConfigurationError, UploaderError

Clock: TypeAlias = Callable[[], datetime]
"""Answers with the time, aware and in UTC."""

NOW_VARIABLE: Final = "UPLOADER_NOW"


def parse_time(text: str, what: str, error: type[UploaderError] = ConfigurationError) -> datetime:
    """Read an ISO 8601 time; without an offset it is UTC. ``what`` names it in the ``error``."""
    moment = None
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    # Beyond these years, sums of times overflow.
    if moment is None or not 1970 <= moment.year < 3000:
        message = f"{what} is {text!r}, which is no ISO 8601 time; write it like 2026-11-20T12:00:00Z."
        raise error(message)
    return moment


def naive(moment: datetime) -> datetime:
    """Drop the zone of a UTC time: the warehouse and the ledger keep UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def pretended(environment: Mapping[str, str] = os.environ) -> datetime | None:
    """Return the time that ``UPLOADER_NOW`` asks the run to believe in, or None."""
    text = environment.get(NOW_VARIABLE, "").strip()
    return parse_time(text, f"The environment variable {NOW_VARIABLE}") if text else None


def system_clock(environment: Mapping[str, str] = os.environ) -> Clock:
    """Return a clock that begins at ``UPLOADER_NOW``, where that is set, and ticks on; else the wall clock."""
    start = pretended(environment)
    if start is None:
        return lambda: datetime.now(UTC)
    begun = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - begun)


@overload
def moment(value: int) -> datetime: ...
@overload
def moment(value: int | None) -> datetime | None: ...
def moment(value: int | None) -> datetime | None:
    """Return microseconds since 1970 as a time, aware and in UTC; None stays None."""
    return None if value is None else datetime.fromtimestamp(value / 1_000_000, UTC)


def microseconds(instant: datetime) -> int:
    """Return a time as microseconds since 1970; without a zone it is UTC."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
