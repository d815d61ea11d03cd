"""What a delivery needs from outside, and what it counts: so that a test can hand in each of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from uploader.answers import Answer
    from uploader.clock import Clock
    from uploader.ledger import Ledger


class Post(Protocol):
    """Send one HTTP POST, as `uploader.transport.Transport.post` does."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST once."""


class Sign(Protocol):
    """Say as whom a request comes, where its destination does not put a token into it; see `uploader.delivery.signing`.

    May be called from several threads at a time.
    """

    def __call__(self, url: str) -> dict[str, str]:
        """Return the headers of a POST to ``url``. Raises `PlatformRefused` for credentials that are refused.

        Raises `NotSent` where it cannot be found out.
        """

    def renew(self) -> bool:
        """Let the next headers be new ones; False where they would be the same again."""


class Unsigned:
    """For requests that carry their token themselves."""

    def __call__(self, url: str) -> dict[str, str]:  # noqa: ARG002 - as `Sign`
        """See `Sign`."""
        return {}

    def renew(self) -> bool:
        """See `Sign.renew`."""
        return False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a delivery needs from outside. ``stop`` is asked before each request; ``progress`` is told of rows.

    ``more_posts`` are further connections, each for a thread of its own: so many more requests may be under way.
    ``clock`` is the wall's, for stamps and ages; ``monotonic`` (seconds) cannot be set, for durations.
    """

    ledger: Ledger
    post: Post
    clock: Clock
    sleep: Callable[[float], None]
    stop: Callable[[], bool] = lambda: False
    progress: Callable[[int], None] = lambda _rows: None
    deadline: datetime | None = None
    monotonic: Callable[[], float] = time.monotonic
    more_posts: Sequence[Post] = ()
    sign: Sign = field(default_factory=Unsigned)


@dataclass(slots=True)
class Counter:
    """What the loop believes it did; the books compare ``acked`` and ``dead`` with the sent log."""

    acked: int = 0
    dead: int = 0
    requests: int = 0
    batches: int = 0
    retries: int = 0
    """Requests beyond the first of a batch: what `uploader.delivery.exchange` allows itself is a share of batches."""
    changed: int = 0
    """Rows that were sent again and are not what they were at their first try."""
    problem: Exception | None = field(default=None)
    clock_is_wrong: bool = False
    warnings: list[str] = field(default_factory=list)
