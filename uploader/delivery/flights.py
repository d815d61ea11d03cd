"""Several requests behind one commit, for a platform that takes one batch after the other.

A commit waits for the disk, and a run of a million events would wait for it two thousand times. Once a run's first
batches were all taken, the intents of the next few are committed together, and with them what became of the last few.
The promise is the same: no request begins before its intent is on the disk. What differs is how much a crash leaves in
doubt: `MOST` batches per connection, twice, instead of one batch. At the first trouble the intents of requests that
were not begun are taken back, and the run goes on one batch at a time.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from uploader.destinations.interface import Outcome, Request, Verdict
from uploader.errors import PlatformRefused, TryLater
from uploader.ledger import Intent, Settled, State

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Sequence

    import polars as pl

    from uploader.delivery.exchange import Begun, Exchange
    from uploader.delivery.pauses import Pauses
    from uploader.delivery.surroundings import Post, Surroundings

EARNED: Final = 8
"""So many batches in a row must be taken, each by itself, before several share a commit."""
MOST: Final = 8
"""The most batches of one commit, for each connection."""


@dataclass(frozen=True, slots=True)
class Started:
    """A batch whose intent is on the disk, with the outcome of its first try, if that was made."""

    batch: pl.DataFrame
    request: Request
    begun: Begun
    batch_id: int
    outcome: Outcome | None = None


class Crew(Protocol):
    """What flights ask of a delivery; see `uploader.delivery.sending.Delivery`."""

    around: Surroundings
    exchange: Exchange
    pauses: Pauses

    def prepared(self, batch: pl.DataFrame) -> tuple[Request, Intent] | None:
        """Make a batch ready to be sent together with others; None where any of its rows needs a second look."""

    def begin(self, batches: Sequence[pl.DataFrame]) -> Begun:
        """Begin the age of the batches' intents."""

    def taken(self, batch: pl.DataFrame) -> None:
        """Count a batch that was accepted."""

    def resume(self, started: Started) -> None:
        """Go on with a batch whose first try was not accepted."""

    def record(self, started: Started) -> None:
        """Record the outcome of a first try, and no more."""


@dataclass(slots=True)
class _Tries:
    """The first tries of a flight, which several connections may make."""

    exchange: Exchange
    requests: Sequence[tuple[Request, int]]
    begun: Begun
    outcomes: list[Outcome | None]
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make(self, post: Post) -> None:
        """Make one try after the other, until one is not accepted or none may begin."""
        while (position := self._take()) is not None:
            request, sent = self.requests[position]
            self.outcomes[position] = outcome = self.exchange.first_try(post, request, sent)
            if outcome.verdict is not Verdict.ACCEPTED:
                self.stop()

    def stop(self) -> None:
        """Let no other try begin."""
        with self._lock:
            self._next = len(self.requests)

    def _take(self) -> int | None:
        with self._lock:
            if self._next >= len(self.requests) or not self.exchange.may_begin(self.begun):
                self._next = len(self.requests)
                return None
            self._next += 1
            return self._next - 1


class Flights:
    """The flights of one delivery."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._streak = 0
        self._acked: list[Settled] = []
        """Taken, and not written down yet: the next commit does."""

    def count(self, *, is_taken: bool) -> None:
        """Count a batch that was sent by itself."""
        self._streak = self._streak + 1 if is_taken else 0

    def land(self) -> None:
        """Write down what was taken."""
        acked, self._acked = self._acked, []
        if acked:
            self._crew.around.ledger.advance(acked, ())

    def go(self, batches: deque[pl.DataFrame]) -> bool:
        """Send the first of ``batches`` together, and take them out; False where the first must go by itself."""
        posts = [self._crew.around.post, *self._crew.around.more_posts]
        found = []
        if self._streak >= EARNED:
            for batch in list(batches)[: MOST * len(posts)]:
                prepared = self._crew.prepared(batch)
                if prepared is None:
                    break
                found.append((batch, *prepared))
        if len(found) < 2:
            self.land()
            return False
        self._crew.pauses.check_go()
        for _ in found:
            batches.popleft()
        untried = self._fly(found, posts)
        batches.extendleft(reversed(untried))
        return True

    def _fly(self, flight: Sequence[tuple[pl.DataFrame, Request, Intent]], posts: Sequence[Post]) -> list[pl.DataFrame]:
        """Send batches, at most one per connection at a time; return those whose request was not begun."""
        crew, ledger = self._crew, self._crew.around.ledger
        begun = crew.begin([batch for batch, _, _ in flight])
        batch_ids = ledger.advance(self._acked, [intent for _, _, intent in flight])
        self._acked = []
        requests = [(request, batch.height) for batch, request, _ in flight]
        tries = _Tries(crew.exchange, requests, begun, [None] * len(flight))
        if len(posts) == 1:
            tries.make(posts[0])
        else:
            with ThreadPoolExecutor(len(posts)) as pool:
                list(pool.map(tries.make, posts))
        crew.exchange.believe()
        untried, recalled, troubles = [], [], []
        for (batch, request, _), batch_id, outcome in zip(flight, batch_ids, tries.outcomes, strict=True):
            if outcome is None:
                untried.append(batch)
                recalled.append(batch_id)
            elif outcome.verdict is Verdict.ACCEPTED:
                self._acked.append(Settled(batch_id, State.ACKED, outcome.code, outcome.trace_id))
                crew.taken(batch)
            else:
                troubles.append(Started(batch, request, begun, batch_id, outcome))
        if untried or troubles:
            self._streak = 0
            acked, self._acked = self._acked, []
            ledger.advance(acked, (), recalled)
        self._resume(troubles)
        crew.exchange.check_clock()
        return untried

    def _resume(self, troubles: list[Started]) -> None:
        while troubles:
            try:
                self._crew.resume(troubles.pop(0))
            except (TryLater, PlatformRefused):
                for started in troubles:
                    self._crew.record(started)
                raise
