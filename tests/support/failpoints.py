"""Ends a run at a chosen moment, as a kill would; the product knows nothing of it.

What stands around a delivery is wrapped. Each wrapper tells a `Failpoint` what is about to happen. At its moment
the failpoint ends the run: by an exception that nothing catches, or by killing the process. From then on every
wrapper refuses to do anything, because a process that is dead writes nothing more.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from uploader.ledger import Intent, Ledger, State, Store
from uploader.ledger.manifest import Manifest
from uploader.transport import Answer

MOMENTS = (
    "before_intent",
    "in_intent",
    "after_intent",
    "after_manifest",
    "before_connect",
    "mid_send",
    "after_taken",
    "after_answer",
    "in_settle",
    "after_settle",
    "between_batches",
    "in_isolation",
    "at_closing",
    "in_publication",
)
"""Where a run can be ended, in the order of a run. ``after_taken``: the platform is done, and no answer came back.
``after_answer``: it came, and the next thing that the run asks for does not happen any more. ``in_intent`` and
``in_settle``: before the commit. ``in_isolation``: a half of a refused batch was answered."""


class Killed(BaseException):  # no Exception: nothing in the product may catch it
    """The process is gone."""


def unwind() -> NoReturn:
    """End a run in this process: connections are dropped, and nothing more is committed."""
    raise Killed


def kill() -> NoReturn:
    """End this process at once, without any farewell."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


@dataclass
class Failpoint:
    """Waits for one moment of the batch with these event ids, and ends the run there."""

    moment: str
    batch: frozenset[str]
    end: Callable[[], NoReturn] = unwind
    is_dead: bool = False
    _is_near: bool = False

    def at(self, moment: str, ids: Collection[str] | None = None) -> None:
        """Tell that a moment has come. ``ids``: which events it is about; None: it concerns no batch."""
        self.touch()
        if self.is_for(moment, ids):
            self._die()

    def near(self, moment: str, ids: Collection[str]) -> None:
        """Tell that a moment has come, and let the run end when it next touches anything."""
        self._is_near |= self.is_for(moment, ids)

    def touch(self) -> None:
        """Tell that the run asks for something; a dead one gets nothing."""
        if self.is_dead:
            raise Killed
        if self._is_near:
            self._die()

    def is_for(self, moment: str, ids: Collection[str] | None = None) -> bool:
        """Tell whether it waits for this moment of these events: the batch, or within isolation a part of it."""
        if moment != self.moment or ids is None:
            return moment == self.moment
        return frozenset(ids) < self.batch if moment == "in_isolation" else frozenset(ids) == self.batch

    def _die(self) -> None:
        self.is_dead = True
        self.end()


@dataclass
class Doing:
    """Which write is being made, and of which events."""

    what: str = "something else"
    ids: Collection[str] = ()

    @contextmanager
    def now(self, what: str, ids: Collection[str]) -> Iterator[None]:
        """Do something."""
        self.what, self.ids = what, ids
        try:
            yield
        finally:
            self.what, self.ids = "something else", ()


@dataclass
class FailingLedger:
    """The open sent log; it says which write is being made, so that `FailingStore` can name its transactions."""

    inner: Ledger
    point: Failpoint
    doing: Doing
    ids: dict[int, list[str]] = field(default_factory=dict)

    def intend(self, intent: Intent) -> int:
        """Put an intent on the disk."""
        ids = intent.events["event_id"].to_list()
        self.point.at("before_intent", ids)
        with self.doing.now("intent", ids):
            batch_id = self.inner.intend(intent)
        self.ids[batch_id] = ids
        return batch_id

    def settle(self, batch_id: int, state: State, code: str | None = None, trace_id: str | None = None) -> None:
        """Record what became of a batch."""
        self.point.touch()
        with self.doing.now("settle", self.ids[batch_id]):
            self.inner.settle(batch_id, state, code, trace_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class FailingStore:
    """A place of a sent log. After the end its connection is dropped, and what was not committed is gone."""

    def __init__(self, inner: Store, point: Failpoint, doing: Doing) -> None:
        self.inner, self.point, self.doing = inner, point, doing

    def __str__(self) -> str:
        return str(self.inner)

    def __getattr__(self, name: str) -> Any:
        self.point.touch()
        return getattr(self.inner, name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything inside or nothing."""
        self.point.touch()
        with self.inner.transaction():
            yield
            self.point.at(f"in_{self.doing.what}", self.doing.ids)
        self.point.at(f"after_{self.doing.what}", self.doing.ids)
        if self.doing.what == "settle":
            self.point.at("in_isolation", self.doing.ids)

    def testify(self, manifest: Manifest) -> None:
        """Remember how far the log has come."""
        self.point.touch()
        self.inner.testify(manifest)
        if self.doing.what == "intent":
            self.point.at("after_manifest", self.doing.ids)

    def close(self) -> None:
        """Close the connection; a dead process's is closed by the system."""
        try:
            if not self.point.is_dead:
                self.point.at("at_closing")
        finally:
            self.inner.close()


@dataclass
class FailingPost:
    """The wire to the platform."""

    inner: Callable[[str, bytes, Mapping[str, str]], Answer]
    point: Failpoint
    answered: Collection[str] = ()

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request, or the first half of its bytes."""
        ids = [event["event_id"] for event in json.loads(body)["data"]]
        self.point.at("before_connect", ids)
        if self.point.is_for("mid_send", ids):
            self.inner(url, body[: len(body) // 2], headers)
        self.point.at("mid_send", ids)
        try:
            return self.inner(url, body, headers)
        finally:
            self.answered = ids
            self.point.at("after_taken", ids)
            self.point.near("after_answer", ids)
