"""What comes back from a platform, if anything does, and what all answers have in common: bodies and waiting times.

Nothing here raises, and nothing here looks at the clock: a date is measured against the answer's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from uploader.errors import UploaderError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WAIT_S: Final = 86_400.0
"""A platform that asks for more than a day is taken to ask for a day."""


class NotSent(UploaderError):
    """No byte of the request left: the platform has nothing of it."""


class InDoubt(UploaderError):
    """The request may have arrived; no whole answer came back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names are in lower case, a body of more than 1 MiB is left out."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def date(self) -> datetime | None:
        """The platform's time (UTC) when it answered; None if the header is missing or unreadable."""
        return http_date(self.headers.get("date", ""))


def json_object(body: bytes | str) -> Mapping[str, Any]:
    """Read a JSON object; empty for anything else, be it HTML, cut off, too deep, or not UTF-8."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def whole_number(value: object) -> int | None:
    """Read an integer of up to ten digits, or its text; booleans, fractions and longer ones are none."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < 10**10 else None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``: seconds, or a date measured against the answer's ``Date`` (RFC 9110, 10.2.3).

    Of several, as a gateway in between may add one, the longest counts.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?(\s*,\s*[0-9]+(\.[0-9]+)?)*", text, re.ASCII):
        return capped(max(float(part) for part in text.split(",")))
    until, since = http_date(text), http_date(headers.get("date", ""))
    return capped((until - since).total_seconds()) if until and since else None


def capped(seconds: float) -> float:
    """Bring a waiting time between zero and `LONGEST_WAIT_S`."""
    return min(max(seconds, 0.0), LONGEST_WAIT_S)


def http_date(text: str) -> datetime | None:
    """Read a date as HTTP writes it; aware, in UTC. None for anything else."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
