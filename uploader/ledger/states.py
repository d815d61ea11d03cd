"""The words of the sent log: what can become of a key, and what an intent says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


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


STATES: Final = tuple(state.value for state in State)

STATES_SCHEMA: Final = pl.Schema(
    {
        "event_name": pl.String,
        "event_id": pl.String,
        "state": pl.String,
        "reason": pl.String,
        "first_intent_at": pl.Int64,
        "batch_id": pl.Int64,
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
