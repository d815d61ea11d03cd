"""What every platform's stand-in tells the books: one call, and the events in it that it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from uploader.sandbox.wire import Answer


@dataclass(frozen=True, slots=True)
class Received:
    """One event that was taken: what identifies it and what it is worth, but no customer information.

    Another one with the same ``key`` that comes within the ``window`` is a duplicate of it; an empty key has none.
    ``event_time`` is in seconds since 1970.
    """

    event_name: str
    event_id: str | None
    event_time: int
    action_source: str
    order_id: str | None
    value: Decimal | None
    currency: str | None
    user_data: tuple[str, ...]
    is_limited: bool = False
    key: tuple[object, ...] = ()
    window: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Upload:
    """One call, judged. ``refused`` is the platform's code where something was not taken.

    ``events`` are those that were taken, ``sent`` counts all that came.
    """

    dataset_id: str
    answer: Answer
    events: tuple[Received, ...] = ()
    refused: str | None = None
    sent: int = 0
    is_upload: bool = True
    """Whether events were posted; reading something is none."""
    is_test: bool = False
    token_from: str | None = None
    warnings: Mapping[str, int] = field(default_factory=dict)
