"""The words of the sent log: what can become of a key, and what an intent says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.errors import QualityGateFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_FAILURES_TO_OPEN: Final = 5


class State(StrEnum):
    """What became of a key (destination id, event name, event id)."""

    INTENT = "intent"
    """In doubt: it may have been sent, and no answer is recorded."""
    RELEASED = "released"
    """Provably not taken: as good as new."""
    ACKED = "acked"
    DEAD = "dead"
    """Refused by itself."""
    EXPIRED = "expired"
    HELD = "held"
    """In doubt, and too late to send again: a person decides."""
    SUPPRESSED = "suppressed"
    """Must not be sent any more."""


QUARANTINE: Final = "quarantine"
"""The reason of a released key whose batch was refused, and that there were no requests left to look at."""

STATES: Final = tuple(state.value for state in State)

FINAL: Final = ("acked", "dead", "expired", "held", "suppressed")
"""States that only a person's decision leaves."""

STATES_SCHEMA: Final = pl.Schema(
    {
        "event_name": pl.String,
        "event_id": pl.String,
        "state": pl.String,
        "reason": pl.String,
        "first_intent_at": pl.Int64,
        "batch_id": pl.Int64,
        "not_before": pl.Int64,
        "quarantines": pl.Int64,
        "known_at": pl.Int64,
    }
)


def empty_states() -> pl.DataFrame:
    """Return the states of a sent log that does not exist yet: no row."""
    return pl.DataFrame(schema=STATES_SCHEMA)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent in one request.

    ``events`` has ``event_name``, ``event_id``, ``event_at`` and ``first_intent_at`` and ``consent_at``
    (microseconds, the last two may be NULL: the intent's own time, no decision), ``payload_hash`` (bytes)
    and ``fields`` (bitmap over ``paths``).
    """

    destination_id: str
    events: pl.DataFrame
    paths: Sequence[str]
    outbox_as_of: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a batch: ``acked``, ``released``, or ``dead`` for a single refused event."""

    batch_id: int
    state: State
    code: str | None = None
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class Breaker:
    """How many batches in a row met a passing fault, and until when no other is tried.

    The fifth one opens it for five minutes, each further one for twice as long, an hour at most.
    """

    failures: int = 0
    open_until: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Tell whether the destination must be left alone."""
        return self.open_until is not None and self.open_until > now

    def failed(self, now: datetime) -> Breaker:
        """Return the breaker after one more failure."""
        failures = self.failures + 1
        minutes = min(5 * 2 ** min(failures - _FAILURES_TO_OPEN, 10), 60)
        return Breaker(failures, now + timedelta(minutes=minutes) if failures >= _FAILURES_TO_OPEN else None)


def require_texts(rows: pl.DataFrame) -> None:
    """Raise for a NUL: PostgreSQL cannot keep it, and SQLite would later look for the part of an id before it."""
    if any(column.str.contains("\0", literal=True).any() for column in rows.select(pl.col(pl.String)).iter_columns()):
        raise QualityGateFailed(
            "An event's name or id holds a NUL character, by which the sent log could not find it again. No further "
            "request is made. The models as shipped leave it out: look at what was changed in them."
        )
