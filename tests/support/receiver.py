"""A platform that counts: all or nothing, seven days, 48 hours of memory, and faults on the way to it and back.

It knows the true time, whatever the clock of the sender says, and it shares no rule with the product.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path

import polars as pl

from tests.support.delivering import NOW, Clock, World, accepted, orders, refused
from tests.support.frames import SCHEMA
from uploader.ledger import Ledger, SqliteStore, Store, reading
from uploader.ledger.manifest import Manifest
from uploader.transport import Answer, InDoubt, NotSent

MEMORY = timedelta(hours=48)
OLDEST = timedelta(days=7)
MARGIN = timedelta(hours=1)
"""How long before the platform does the outbox calls an event expired."""


class Fate(StrEnum):
    """What becomes of one request and its answer."""

    ANSWERED = "answered"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    """The request never arrives, and the sender cannot know."""
    UNHEARD = "unheard"
    """The request is judged, and the answer is lost."""
    FAILED = "failed"
    """An error 500, and nothing was taken."""
    FAILED_LATE = "failed late"
    """An error 500, although everything was taken."""
    THROTTLED = "throttled"
    BLOCKED = "blocked"


DOUBTFUL = (Fate.LOST, Fate.UNHEARD, Fate.FAILED, Fate.FAILED_LATE)
PASSING = (Fate.UNREACHABLE, *DOUBTFUL)


@dataclass
class SkewedClock(Clock):
    """Says what a machine's clock says: the true time, which ``now`` is, and how wrong it is."""

    wrong_by: timedelta = timedelta()

    def __call__(self) -> datetime:
        """Answer with the machine's time."""
        return self.now + self.wrong_by


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it was made: when, what was in it, and what became of it."""

    at: datetime
    ids: tuple[str, ...]
    fate: Fate
    status: int | None


@dataclass
class Receiver:
    """Takes requests, and counts each event as the platform would.

    ``way`` says what becomes of the next request; ``bad`` are the ids that it does not take, and ``names`` whether
    its answer says at which position. A request takes ``seconds``.
    """

    clock: Clock
    bad: frozenset[str] = frozenset()
    names: bool = False
    way: Callable[[], Fate] = lambda: Fate.ANSWERED
    seconds: float = 0.5
    retry_after: str | None = None
    requests: list[Seen] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    _remembered: dict[str, datetime] = field(default_factory=dict)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Take one POST."""
        events = json.loads(body)["data"]
        fate, at = self.way(), self.clock.now
        self.clock.forward(seconds=self.seconds)
        answer = self._answer(events, fate)
        ids = tuple(event["event_id"] for event in events)
        self.requests.append(Seen(at, ids, fate, answer.status if answer else None))
        if fate is Fate.UNREACHABLE:
            raise NotSent("no connection could be made")
        if answer is None:
            raise InDoubt("no answer came")
        stamped = {**answer.headers, "date": format_datetime(self.clock.now, usegmt=True)}
        return Answer(answer.status, answer.body, stamped)

    def _answer(self, events: list[dict[str, object]], fate: Fate) -> Answer | None:
        told = {} if self.retry_after is None else {"retry-after": self.retry_after}
        if fate in (Fate.UNHEARD, Fate.FAILED_LATE):
            self._judge(events)
        if fate is Fate.ANSWERED:
            return self._judge(events)
        return {
            Fate.THROTTLED: refused(4, **told),
            Fate.BLOCKED: refused(190, status=401),
            Fate.FAILED: Answer(500, b"", {}),
            Fate.FAILED_LATE: Answer(500, b"", {}),
        }.get(fate)

    def _judge(self, events: list[dict[str, object]]) -> Answer:
        oldest = (self.clock.now - OLDEST).timestamp()
        if any(event["event_time"] < oldest for event in events):
            return refused(100, 2804003)
        wrong = [position for position, event in enumerate(events) if event["event_id"] in self.bad]
        if wrong:
            return self._refusal(wrong[0])
        for event in events:
            self._count(event["event_id"])
        return accepted(events)

    def _refusal(self, position: int) -> Answer:
        answer = refused(100, 2804050)
        if not self.names:
            return answer
        error = json.loads(answer.body)
        error["error"]["message"] = f"Invalid parameter: $['data'][{position}]"
        return Answer(answer.status, json.dumps(error).encode(), {})

    def _count(self, event_id: str) -> None:
        before = self._remembered.get(event_id)
        if before is not None and self.clock.now - before < MEMORY:
            self.dropped += 1
            return
        self._remembered[event_id] = self.clock.now
        self.counted[event_id] += 1

    @property
    def doubles(self) -> list[str]:
        """Return the ids that were counted more than once."""
        return [event_id for event_id, times in self.counted.items() if times > 1]


def outbox(placed: Mapping[str, datetime], as_of: datetime, **overrides: object) -> pl.DataFrame:
    """Return the outbox as a build at ``as_of`` makes it from orders' ids and times: one row for each."""
    times = pl.DataFrame(
        {"event_id": list(placed), "event_at": [at.astimezone(UTC).replace(tzinfo=None) for at in placed.values()]},
        schema={"event_id": pl.String, "event_at": SCHEMA["event_at"]},
    )
    built = as_of.astimezone(UTC).replace(tzinfo=None)
    expires = pl.col("event_at") + (OLDEST - MARGIN)
    made = orders(1, **overrides).drop("event_id", "event_at").join(times, how="cross")
    return made.with_columns(
        event_key="event_id",
        order_id=pl.col("event_id").str.strip_prefix("purchase."),
        expires_at=expires,
        is_sendable=expires > built,
        hold_reason=pl.when(expires <= built).then(pl.lit("expired")),
        as_of=pl.lit(built, SCHEMA["as_of"]),
    ).select(list(SCHEMA))


def many(count: int, **overrides: object) -> pl.DataFrame:
    """Return that many sendable rows, quickly: purchase.000000, purchase.000001, … in the order of sending."""
    ids = pl.format("purchase.{}", pl.int_range(count).cast(pl.String).str.zfill(6))
    row = orders(1, **overrides).drop("event_id", "event_key")
    return row.join(pl.select(event_id=ids), how="cross").with_columns(event_key="event_id").select(list(SCHEMA))


def shop(folder: Path, at: datetime = NOW, **settings: object) -> Shop:
    """Return a shop that never sent anything, and the platform that it sends to."""
    folder.mkdir(exist_ok=True)
    clock = SkewedClock(at)
    return Shop(folder, platform=Receiver(clock), clock=clock, settings=settings)  # type: ignore[arg-type]


class UnsyncedStore(SqliteStore):
    """A sent log that does not wait for the disk: these proofs make many thousand requests, and pull no plug."""

    def open(self, *, read_only: bool) -> None:
        """See `Store.open`."""
        super().open(read_only=read_only)
        # Read-only, it is of no use and does no harm.
        self.rows("pragma synchronous = off", {})

    def testify(self, manifest: Manifest) -> None:
        """Leave the manifest out."""


@dataclass
class Shop(World):
    """A shop's delivery to a `Receiver`."""

    platform: Receiver  # type: ignore[assignment]
    clock: SkewedClock

    def store(self) -> Store:
        """See `World.store`."""
        return UnsyncedStore(self.folder / "sent_log.sqlite")

    def states(self) -> dict[str, str]:
        """Return every key of the sent log with its state."""
        found = self.known()
        return dict(found.select("event_id", "state").rows())

    def reasons(self, state: str) -> dict[str, str | None]:
        """Return the keys in one state, each with its reason."""
        return dict(self.known().filter(pl.col("state") == state).select("event_id", "reason").rows())

    def known(self) -> pl.DataFrame:
        """Return what the sent log knows of every key, whatever the clock says."""
        ledger = Ledger(self.store(), self.clock, "look", read_only=True)
        try:
            return reading.states(ledger, "meta:42", datetime.fromtimestamp(0, UTC))
        finally:
            ledger.close()


def ids_of(rows: pl.DataFrame) -> set[str]:
    """Return the ids of rows."""
    return set(rows["event_id"])


def in_turn(fates: Iterable[Fate]) -> Callable[[], Fate]:
    """Return a way that gives one fate after the other, and answers when they are used up."""
    left = iter(fates)
    return lambda: next(left, Fate.ANSWERED)
