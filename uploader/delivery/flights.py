"""Several requests behind one commit, for a platform that takes one batch after the other.

A commit waits for the disk, and a run of a million events would wait for it two thousand times. Once a run's first
batches were all taken, the intents of the next few are committed together, and with them what became of earlier ones;
and while those few are under way, the next few are made ready and committed. The promise is the same: no request
begins before its intent is on the disk. What differs is how much a crash leaves in doubt: `MOST` batches per
connection, twice, instead of one batch. At the first trouble the intents of requests that were not begun are taken
back, and the run goes on one batch at a time.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Final, Protocol

from uploader.destinations.interface import Outcome, Request, Verdict
from uploader.errors import PlatformRefused, TryLater
from uploader.ledger import Intent, Settled, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Future

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
class _Flight:
    """Batches whose intents are on the disk, and their first tries, which several connections may make."""

    exchange: Exchange
    batches: Sequence[Started]
    begun: int = 0
    """How many first tries were begun: those of the first batches."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _futures: list[Future[None]] = field(default_factory=list)
    _is_over: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, pool: ThreadPoolExecutor, posts: Sequence[Post]) -> None:
        """Let each connection make one try after the other."""
        self._futures = [pool.submit(self._make, post) for post in posts]

    def wait(self) -> None:
        """Wait until all tries were made that will be, and raise what went wrong in making them."""
        for future in self._futures:
            future.result()

    def end(self) -> None:
        """Let no other try begin, and wait for those that did."""
        with self._lock:
            self._is_over = True
        wait(self._futures)

    def _make(self, post: Post) -> None:
        try:
            while (position := self._take()) is not None:
                started = self.batches[position]
                self.outcomes[position] = outcome = self.exchange.first_try(post, started.request, started.batch.height)
                if outcome.verdict is not Verdict.ACCEPTED:
                    self._is_over = True
        except BaseException:
            self._is_over = True
            raise

    def _take(self) -> int | None:
        """Return the next batch to try, once the platform's rate allows it; None where no other may begin."""
        if not self._is_done():
            self.exchange.keep_pace()
        with self._lock:
            if self._is_done() or not self.exchange.may_begin(self.batches[0].begun):
                self._is_over = True
                return None
            self.begun += 1
            return self.begun - 1

    def _is_done(self) -> bool:
        return self._is_over or self.begun == len(self.batches)


class Flights:
    """The flights of one delivery: one under way, and meanwhile the next one, whose intents are put on the disk."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._posts = [crew.around.post, *crew.around.more_posts]
        self._pool = ThreadPoolExecutor(len(self._posts))
        self._streak = 0
        self._flights: deque[_Flight] = deque()
        self._acked: list[Settled] = []
        """Taken, and not written down yet: the next commit does."""
        self._recalled: list[int] = []
        """Intents of requests that were not begun, which the next commit takes back."""

    def count(self, *, is_taken: bool) -> None:
        """Count a batch that was sent by itself."""
        self._streak = self._streak + 1 if is_taken else 0

    def go(self, batches: deque[pl.DataFrame]) -> bool:
        """Let the first of ``batches`` go together, and take them out; False where the first must go by itself.

        They are under way when this returns. Where the flight before met with trouble they are put back instead, behind
        those of that flight whose request was not begun.
        """
        found = self._prepared(batches)
        if not found:
            left = self.land()
        else:
            self._crew.pauses.check_go()
            self._intend(found)
            for _ in found:
                batches.popleft()
            left = self._come_down() if len(self._flights) > 1 else []
        batches.extendleft(reversed(left))
        for flight in self._flights:
            flight.start(self._pool, self._posts)
        return bool(found or left)

    def land(self) -> list[pl.DataFrame]:
        """Wait for what is under way, write down what was taken, and return the batches that were not begun."""
        left = self._come_down() if self._flights else []
        self._write()
        return left

    def give_up(self) -> None:
        """Let no other request begin, and write down what became of those that did."""
        _, troubles = self._sorted(self._end())
        self._crew.exchange.believe()
        self._write()
        for started in troubles:
            self._crew.record(started)

    def close(self) -> None:
        """Let no other request begin, and end the threads."""
        self._end()
        self._pool.shutdown()

    def _prepared(self, batches: deque[pl.DataFrame]) -> list[tuple[pl.DataFrame, Request, Intent]]:
        found: list[tuple[pl.DataFrame, Request, Intent]] = []
        if self._streak < EARNED:
            return found
        # Of ten batches twice five, and not eight and two: the next ones are made ready during the last ones' requests.
        flights = ceil(len(batches) / (MOST * len(self._posts)))
        for batch in islice(batches, ceil(len(batches) / flights)):
            prepared = self._crew.prepared(batch)
            if prepared is None:
                break
            found.append((batch, *prepared))
        return found

    def _intend(self, found: Sequence[tuple[pl.DataFrame, Request, Intent]]) -> None:
        """Put the intents on the disk, and with them what became of the flights before."""
        begun = self._crew.begin([batch for batch, _, _ in found])
        batch_ids = self._write([intent for _, _, intent in found])
        batches = [
            Started(batch, request, begun, batch_id)
            for (batch, request, _), batch_id in zip(found, batch_ids, strict=True)
        ]
        self._flights.append(_Flight(self._crew.exchange, batches))

    def _come_down(self) -> list[pl.DataFrame]:
        """Wait for the first flight; at any trouble take the intents back that were not begun, and mend it.

        Returns the batches of which they were.
        """
        crew = self._crew
        self._flights[0].wait()
        crew.exchange.believe()
        untried, troubles = self._sorted([self._flights.popleft()])
        if untried or troubles:
            self._streak = 0
            behind, _ = self._sorted(self._end())
            untried += behind
            self._write()
        self._resume(sorted(troubles, key=_urgency))
        crew.exchange.check_clock()
        return untried

    def _end(self) -> list[_Flight]:
        ended = list(self._flights)
        self._flights.clear()
        for flight in ended:
            flight.end()
        return ended

    def _sorted(self, flights: Iterable[_Flight]) -> tuple[list[pl.DataFrame], list[Started]]:
        """Count what was taken; return the batches whose request was not begun, and those that met with trouble."""
        untried: list[pl.DataFrame] = []
        troubles: list[Started] = []
        for flight in flights:
            untried += [started.batch for started in flight.batches[flight.begun :]]
            self._recalled += [started.batch_id for started in flight.batches[flight.begun :]]
            for position, outcome in sorted(flight.outcomes.items()):
                started = flight.batches[position]
                if outcome.verdict is Verdict.ACCEPTED:
                    self._acked.append(Settled(started.batch_id, State.ACKED, outcome.code, outcome.trace_id))
                    self._crew.taken(started.batch)
                else:
                    troubles.append(replace(started, outcome=outcome))
        return untried, troubles

    def _write(self, intents: Sequence[Intent] = ()) -> list[int]:
        """Write down what became of earlier flights, and the intents of the next one; return their batch ids."""
        if not (self._acked or self._recalled or intents):
            return []
        batch_ids = self._crew.around.ledger.advance(self._acked, intents, self._recalled)
        self._acked, self._recalled = [], []
        return batch_ids

    def _resume(self, troubles: list[Started]) -> None:
        while troubles:
            try:
                self._crew.resume(troubles.pop(0))
            except (TryLater, PlatformRefused):
                for started in troubles:
                    self._crew.record(started)
                raise


def _urgency(started: Started) -> int:
    """Put first what says that no request may be made, or none now: it holds for the other batches too."""
    verdict = started.outcome.verdict if started.outcome else None
    return {Verdict.BLOCKED: 0, Verdict.THROTTLED: 1}.get(verdict, 2) if verdict else 2
