"""A shop that sells on while its uploader is killed, its network fails and its clock jumps; and the audit afterwards.

The sandbox counts by rules of its own; the audit compares it with the sent log, order by order.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import polars as pl

from tests.support.chaos_clock import SharedClock
from tests.support.chaos_run import Order, work
from tests.support.driver import built
from tests.support.driver_process import KILLED, end, start
from tests.support.frames import SCHEMA, event_frame
from tests.support.shop import write_marts
from uploader.clock import naive
from uploader.delivery.flights import EARNED
from uploader.ledger import Ledger, reading
from uploader.sandbox import Sandbox

BEGIN = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
POISON_SHARE = 0.004
FAULT_SHARE = 0.15
RUSH_SHARE = 0.15
JUMP = timedelta(hours=50)
JUMP_SHARE = 0.08
"""After a run that was killed in the middle, which is where a jump can hurt: some 5 % of all runs."""
ALLOWED = (0, 2, 75)
"""How a run that is not killed may end: done, done with something to look at, try later."""
FAULTS: tuple[Mapping[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 500, "is_counted": True},
    {"kind": "transient", "is_counted": True},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "truncated"},
    {"kind": "wrong_count"},
    {"kind": "empty", "is_counted": True},
    {"kind": "html"},
    {"kind": "throttle", "minutes": 1},
    {"kind": "throttle", "minutes": 7},
    {"kind": "hang"},
)


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill a run: so many seconds after its begin, or after it made so many requests."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit found; ``wrong`` names every order that breaks the promise, and how."""

    wrong: Mapping[str, str]
    states: Mapping[str, int]
    figures: Counter[str]

    def told(self) -> str:
        """Say it in one line."""
        found = self.figures
        states = ", ".join(f"{count:,} {state}" for state, count in sorted(self.states.items()))
        lost, double = (sum(why == word for why in self.wrong.values()) for word in ("lost", "counted twice"))
        return (
            f"{found['kills']:,} kills ({found['kills after a request']:,} of them after a request), "
            f"{found['faults']:,} faults, {found['jumps']} jumps of the clock, "
            f"{found['events']:,} events ({states}), {found['shared']:,} batches in shared commits, "
            f"{found['resends']:,} resends dropped by the receiver: "
            f"lost {lost}, double {double}, other mistakes {len(self.wrong) - lost - double}"
        )


@dataclass
class Chaos:
    """One shop in a folder. A seed fixes what is sold and which faults come, but no kill hits the same moment twice."""

    seed: int
    order: Order
    sandbox: Sandbox
    clock: SharedClock
    rows: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    poison: set[str] = field(default_factory=set)
    figures: Counter[str] = field(default_factory=Counter)
    usual_s: float = 1.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._requests = 0
        self._was_in_the_middle = False
        self.sandbox.on_request = self._asked

    def _asked(self, _seen: object) -> None:
        self._requests += 1

    def sell(self, count: int, since: datetime) -> None:
        """Sell so many things since the last build; the platform will refuse a few of them, by their own fault."""
        first, now = self.rows.height, self.clock()
        new = []
        for number in range(first, first + count):
            event_id = f"purchase.{number}"
            moment = naive(since + (now - since) * self.random.random())
            is_poison = self.random.random() < POISON_SHARE
            if is_poison:
                self.poison.add(event_id)
            new.append(
                {
                    "event_key": event_id,
                    "event_id": event_id,
                    "event_at": moment,
                    "expires_at": moment + timedelta(days=7),
                    "email_sha256": "no hash" if is_poison else f"{number:064x}",
                }
            )
        if new:
            self.rows = pl.concat([self.rows, event_frame(*new)])
        write_marts(self.order.profile.path, built(self.rows, now))

    def round(self) -> None:
        """Let some time pass, sell, build, and send; most runs are killed."""
        before = self.clock()
        is_jump = self._was_in_the_middle and self.random.random() < JUMP_SHARE
        self.clock.forward(minutes=self.random.uniform(5, 40) + is_jump * JUMP.total_seconds() / 60)
        self.figures["jumps"] += is_jump
        # In a rush so much is sold, and so much of it taken at first, that batches share their commits.
        is_rush = self.random.random() < RUSH_SHARE
        self.sell(self.random.randint(150, 300) if is_rush else self.random.randint(0, 60), before)
        self.sandbox.faults.extend([{"kind": "none"}] * EARNED * is_rush)
        self.sandbox.faults.extend(
            self.random.choice(FAULTS) if self.random.random() < FAULT_SHARE else {"kind": "none"} for _ in range(60)
        )
        if self.random.random() < 0.6:
            requests = self.random.randint(EARNED, 3 * EARNED) if is_rush else self.random.randint(1, 6)
            moment = Moment(requests, self.random.uniform(0, 0.02))
        else:
            moment = Moment(0, self.random.uniform(0, self.usual_s))
        self.send(moment if self.random.random() < 0.85 else None)
        self.sandbox.faults.clear()

    def send(self, kill_at: Moment | None = None) -> None:
        """Run once; ``kill_at`` is when to kill it, None lets it come to its end."""
        begun = time.monotonic()
        self._requests = 0
        process = start(work, self.order)
        if kill_at is not None:
            while process.is_alive() and self._requests < kill_at.requests:
                process.join(0.002)
        process.join(None if kill_at is None else kill_at.seconds)
        is_alive = process.is_alive()
        process.kill()
        code = end(process)
        is_killed = is_alive and code == KILLED
        self._was_in_the_middle = is_killed and self._requests > 0
        if is_killed:
            self.figures["kills"] += 1
            self.figures["kills after a request"] += self._was_in_the_middle
            return
        assert code in ALLOWED, f"seed {self.seed}: a run ended with exit code {code}"
        # One that hangs does not make the next kills late.
        self.usual_s += (min(time.monotonic() - begun, 2 * self.usual_s) - self.usual_s) / 4

    def calm_down(self) -> None:
        """Run once an hour, in peace, until nothing is left to do."""
        for _ in range(40):
            self.clock.forward(minutes=61)
            self.sell(0, self.clock())
            self.order.report.unlink(missing_ok=True)
            self.send()
            if self.order.report.exists():
                books = json.loads(self.order.report.read_text())
                if not books["deferred"] and not books["released"] and not books["waiting"]:
                    return
        raise AssertionError(f"seed {self.seed}: after 40 quiet runs there is still something to do")

    def states(self) -> pl.DataFrame:
        """Return the state of every key in the sent log."""
        ledger = Ledger(self.order.store(), self.clock, "audit", read_only=True)
        try:
            return reading.states(ledger, "meta:42", datetime.fromtimestamp(0, UTC))
        finally:
            ledger.close()

    def shared(self) -> int:
        """Return how many batches had their intents committed together with another's: they have the same moment."""
        ledger = Ledger(self.order.store(), self.clock, "audit", read_only=True)
        try:
            query = "select intent_at, count(*) from batch group by intent_at having count(*) > 1"
            return sum(int(batches) for _, batches in ledger.store.rows(query, {}))
        finally:
            ledger.close()

    def audit(self) -> Audit:
        """Compare the receiver with the sent log, order by order."""
        found = self.states()
        states = dict(found.select("event_id", "state").rows())
        counted = Counter(event["event_id"] for event in self.sandbox.counted("42"))
        ids = self.rows["event_id"].to_list()
        wrong = {
            event_id: why
            for event_id in ids
            if (why := self._mistake(event_id, states.get(event_id), counted[event_id]))
        }
        wrong |= dict.fromkeys((set(states) | set(counted)) - set(ids), "never sold")
        if found.height != len(states):
            wrong["the sent log"] = "has keys in two states"
        with duckdb.connect(str(self.order.profile.path)) as warehouse:
            published = dict(warehouse.execute("select event_id, state from sent_log").fetchall())
        if published != states:
            wrong["the published sent_log"] = "is another"
        account = self.sandbox.counts()["42"]
        figures = {
            "events": len(ids),
            "shared": self.shared(),
            "resends": account["duplicates"],
            "faults": sum(account["faults"].values()),
        }
        return Audit(wrong, Counter(states.values()), self.figures + Counter(figures))

    def _mistake(self, event_id: str, state: str | None, counted: int) -> str | None:
        """Say how an order breaks the promise: counted once, or not sent and named, or in doubt and named."""
        if counted > 1:
            return "counted twice"
        if state in ("acked", None, "intent", "released") and not counted:
            return "lost"
        if state == "held" or (state == "acked" and event_id not in self.poison):
            return None
        if counted == 0 and (state == "expired" or (state == "dead" and event_id in self.poison)):
            return None
        return f"{state} and counted {counted} times"
