"""Plays one case: a run that is ended at a moment, a restart some time later, and what came of every event."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import NoReturn, Self
from urllib.parse import urlsplit

import polars as pl

from tests.support.delivering import NOW, Clock, target
from tests.support.driver import Memory, Parts, built, run
from tests.support.failpoints import Doing, FailingLedger, FailingPost, FailingStore, Failpoint, Killed, kill, unwind
from tests.support.frames import event_frame
from uploader.delivery.run import Report, exit_code
from uploader.delivery.targets import Target
from uploader.ledger import Ledger, SqliteStore, reading
from uploader.sandbox import Sandbox
from uploader.sandbox.wire import Call
from uploader.transport import Answer, InDoubt

BATCH = 4
BATCHES = 3


@dataclass(frozen=True, slots=True)
class Case:
    """A run of three batches of four events that is ended at ``moment``.

    ``batch`` (0 to 2) is the one that the moment is about, and to whose first request the platform does ``answer``:
    accepted, refused (one event of it is bad), 500_after or reset_after (all is taken, and the answer is an error
    or never comes), hang (nothing is taken, and no answer comes). A moment inside isolation is about the first half
    of a refused batch, and so is the answer.
    """

    moment: str
    batch: int
    answer: str

    @property
    def ids(self) -> tuple[str, ...]:
        """The events of the batch, in their order."""
        return ids_of(self.batch)

    @property
    def bad(self) -> str | None:
        """The event that the platform minds, if there is one: in the second half unless the first is to be refused."""
        if self.answer == "refused":
            return self.ids[0]
        return self.ids[-1] if self.moment == "in_isolation" else None


def ids_of(batch: int) -> tuple[str, ...]:
    """Return the event ids of a batch."""
    return tuple(f"purchase.{1001 + batch * BATCH + position}" for position in range(BATCH))


def orders(bad: str | None) -> pl.DataFrame:
    """Return the rows of all batches. The bad one looks like the others, but its e-mail address is no hash."""
    every = [event_id for batch in range(BATCHES) for event_id in ids_of(batch)]
    first = NOW.replace(tzinfo=None) - timedelta(hours=2)
    return event_frame(
        *(
            {
                "event_key": event_id,
                "event_id": event_id,
                "event_at": first + timedelta(minutes=position),
                "expires_at": first + timedelta(days=7, minutes=position),
                "email_sha256": "no hash" if event_id == bad else f"{position:064x}",
            }
            for position, event_id in enumerate(every)
        )
    )


def _nothing(_ids: frozenset[str]) -> bool:
    return False


@dataclass
class Platform:
    """The sandbox without a network. The first request ``about`` some events gets the answer of the case."""

    clock: Clock
    answer: str = "accepted"
    about: Callable[[frozenset[str]], bool] = _nothing
    judged: list[tuple[object, Call]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(token="token", dataset_ids=["42"], clock=self.clock)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one request, or raise what the transport raises when no answer comes."""
        answer = self._answer_to(body)
        if answer == "hang":
            self.clock.forward(seconds=60)
            raise InDoubt("no answer came")
        call = Call("POST", urlsplit(url).path, {}, {name.lower(): value for name, value in headers.items()}, body)
        self.judged.append((self.clock.now, call))
        told = self.sandbox.reply(call, None)
        if answer == "reset_after":
            raise InDoubt("the line was cut")
        about = {"date": format_datetime(self.clock.now, usegmt=True)}
        return Answer(500, b"", about) if answer == "500_after" else Answer(told.status, told.body, about)

    def _answer_to(self, body: bytes) -> str:
        try:
            ids = frozenset(event["event_id"] for event in json.loads(body)["data"])
        except ValueError:  # half of a request
            return "accepted"
        if not self.about(ids):
            return "accepted"
        self.about = _nothing
        return self.answer

    def replayed(self, clock: Clock) -> Platform:
        """Return another one that saw the same requests at the same times, and is in no trouble any more."""
        other = Platform(clock)
        for clock.now, call in self.judged:
            other.sandbox.reply(call, None)
        other.judged = list(self.judged)
        return other

    def counted(self) -> dict[str, int]:
        """Return how often each event was counted, those that were."""
        return dict(Counter(event["event_id"] for event in self.sandbox.counted("42")))


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of every event: in the sent log, at the receiver, in the published copy."""

    states: Mapping[str, str]
    counted: Mapping[str, int]
    published: Mapping[str, str]
    exit_code: int


@dataclass
class Play:
    """One case in a folder of its own."""

    case: Case
    folder: Path
    clock: Clock = field(default_factory=Clock)
    target: Target = field(default_factory=lambda: target(batch_size=BATCH))

    def __post_init__(self) -> None:
        whole, in_isolation = frozenset(self.case.ids), self.case.moment == "in_isolation"
        self.platform = Platform(
            self.clock, self.case.answer, lambda ids: ids < whole if in_isolation else ids == whole
        )
        self.orders = orders(self.case.bad)
        self.source = Memory(self.orders)

    @property
    def store(self) -> SqliteStore:
        """Where the sent log is."""
        return SqliteStore(self.folder / "sent_log.sqlite")

    def begin(self, end: Callable[[], NoReturn] = unwind) -> None:
        """Run until the moment of the case."""
        point, doing = Failpoint(self.case.moment, frozenset(self.case.ids), end), Doing()
        post, batches = FailingPost(self.platform, point), iter(range(BATCHES))

        def clock():
            point.touch()
            return self.clock()

        def sleep(_seconds: float) -> None:
            point.at("in_isolation", post.answered)
            self.clock.forward(seconds=1)

        parts = Parts(
            store=FailingStore(self.store, point, doing),
            post=post,
            clock=clock,
            sleep=sleep,
            progress=lambda _rows: point.at("between_batches", ids_of(next(batches))),
            seen=lambda ledger: FailingLedger(ledger, point, doing),
        )
        self.source.frame = built(self.orders, self.clock())
        self.source.before_commit = lambda: point.at("in_publication")
        with contextlib.suppress(Killed):
            run(self.source, self.target, parts)
            raise AssertionError(f"the moment of {self.case} never came")

    def copied(self, folder: Path) -> Self:
        """Return the same play, as far as it has come, in another folder."""
        shutil.copytree(self.folder, folder)
        other = type(self)(self.case, folder, target=self.target)
        other.platform = self.platform.replayed(other.clock)
        other.source = Memory(self.orders, meta=self.source.meta, states=self.source.states)
        return other

    def again(self) -> Report:
        """Run to the end, at the time that it is now."""
        self.source.frame, self.source.before_commit = built(self.orders, self.clock()), lambda: None
        parts = Parts(self.store, self.platform, self.clock, lambda seconds: self.clock.forward(seconds=seconds))
        return run(self.source, self.target, parts)

    def restart(self, after: timedelta) -> Ending:
        """Run again so long after the first run began."""
        self.clock.now = NOW + after
        report = self.again()
        ledger = Ledger(self.store, self.clock, "reader", read_only=True)
        try:
            states = reading.states(ledger, self.target.destination_id, NOW - timedelta(days=30))
        finally:
            ledger.close()
        return Ending(
            states=dict(states.select("event_id", "state").rows()),
            counted=self.platform.counted(),
            published=self.source.states or {},
            exit_code=exit_code([report]),
        )


def on_disk(folder: Path) -> dict[str, object]:
    """Return all that a sent log holds, but for the names that every run makes up anew."""
    with contextlib.closing(sqlite3.connect(folder / "sent_log.sqlite")) as log:
        log.row_factory = sqlite3.Row
        tables = [name for (name,) in log.execute("select name from sqlite_master where type = 'table' order by 1")]
        found: dict[str, object] = {
            name: [dict(row) for row in log.execute(f"select * from {name}")] for name in tables
        }
    manifest = json.loads((folder / "sent_log.sqlite.manifest.json").read_text())
    found["manifest"] = manifest["high_water"]
    return json.loads(re.sub(r'"[0-9a-f]{12}([0-9a-f]{20})?"', '"a name"', json.dumps(found, default=bytes.hex)))


def die(case: Case, folder: Path) -> None:
    """Begin a case, and be killed at its moment."""
    Play(case, folder).begin(kill)
