"""A destination, a sent log and a scripted platform, to deliver to without a warehouse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from tests.support.at_once import plan, whole
from tests.support.frames import event_frame
from uploader.delivery.planning import Plan
from uploader.delivery.run import Report, begin_watch, deliver
from uploader.delivery.surroundings import Surroundings
from uploader.delivery.targets import Target, targets
from uploader.destinations.interface import Destination
from uploader.ledger import Ledger, SqliteStore, Store, guarded
from uploader.settings import DestinationSettings, Settings
from uploader.transport import Answer

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Answer with the time that was set."""
        return self.now

    def monotonic(self) -> float:
        """Answer in seconds, for durations."""
        return self.now.timestamp()

    def forward(self, **amount: float) -> None:
        """Move on."""
        self.now += timedelta(**amount)


def accepted(events: list[dict[str, object]]) -> Answer:
    """Answer as Meta does when it took everything."""
    body = {"events_received": len(events), "messages": [], "fbtrace_id": "Atrace"}
    return Answer(200, json.dumps(body).encode(), {})


def refused(code: int, subcode: int | None = None, status: int = 400, **headers: str) -> Answer:
    """Answer with an error in Meta's form."""
    error = {"message": "m", "type": "OAuthException", "code": code, "fbtrace_id": "Atrace"}
    return Answer(
        status, json.dumps({"error": error | ({"error_subcode": subcode} if subcode else {})}).encode(), headers
    )


@dataclass
class Platform:
    """Takes what ``judge`` lets through, all or nothing, and remembers every request."""

    judge: Callable[[list[dict[str, object]]], Answer] = accepted
    requests: list[list[str]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one POST."""
        events = json.loads(body)["data"]
        self.requests.append([event["event_id"] for event in events])
        answer = self.judge(events)
        if answer.status == 200:
            self.taken += self.requests[-1]
        return answer


def rejecting(*bad: str, subcode: int = 2804050) -> Callable[[list[dict[str, object]]], Answer]:
    """Refuse a whole request that holds one of the events."""
    return lambda events: (
        refused(100, subcode) if any(event["event_id"] in bad for event in events) else accepted(events)
    )


def target(**settings: object) -> Target:
    """Return Meta, ready to send."""
    configured = Settings(
        destinations={"meta": DestinationSettings(dataset_id="42", base_url="http://127.0.0.1:9", **settings)}
    )
    return targets(["meta"], configured, {"META_ACCESS_TOKEN": "token"})[0]


def orders(count: int, **overrides: object) -> pl.DataFrame:
    """Return that many sendable rows: purchase.1, purchase.2, …"""
    return event_frame(
        *(
            {"event_key": f"purchase.{n}", "event_id": f"purchase.{n}", "order_id": str(n), **overrides}
            for n in range(1, count + 1)
        )
    )


@dataclass
class World:
    """One shop's delivery: the sent log in ``folder``, a clock, a platform, and how long it would have slept."""

    folder: Path
    platform: Platform = field(default_factory=Platform)
    clock: Clock = field(default_factory=Clock)
    slept: list[float] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)
    destination: Destination | None = None
    """Another platform than Meta."""

    def sleep(self, seconds: float) -> None:
        """Let the time pass, and remember how much."""
        self.slept.append(seconds)
        self.clock.forward(seconds=seconds)

    def store(self) -> Store:
        """Return the place of the sent log."""
        return SqliteStore(self.folder / "sent_log.sqlite")

    @contextmanager
    def ledger(self):
        """Open the sent log as a run does."""
        with guarded(self.store(), self.clock, "run", None) as ledger:
            yield ledger

    def plan(self, ledger: Ledger, rows: pl.DataFrame, since: datetime | None = None) -> Plan:
        """Compare rows with the sent log."""
        keyed = rows.with_columns(pl.Series("row_digest", range(rows.height), pl.UInt32))
        usual = target(**self.settings)
        chosen = usual if self.destination is None else replace(usual, destination=self.destination)
        return plan(chosen, keyed, ledger, self.clock(), since)

    def run(self, rows: pl.DataFrame, **surroundings: object) -> Report:
        """Plan and deliver rows in one run: all in one part, or the ``first`` in one and the others in another."""
        with self.ledger() as ledger:
            made = self.plan(ledger, rows, surroundings.pop("since", None))
            begin_watch(made, ledger)
            due = whole(made, rows)
            first = surroundings.pop("first", due.height)
            sleep = surroundings.pop("sleep", self.sleep)
            monotonic = self.clock.monotonic
            around = Surroundings(ledger, self.platform, self.clock, sleep, **{"monotonic": monotonic} | surroundings)
            return deliver(made, [due.head(first), due.slice(first)], around)
