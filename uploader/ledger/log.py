"""The sent log: what was intended, what became of it, and who decided.

Write-ahead: an intent is on the disk before the first byte leaves, so that after a crash it is known what
may have arrived. The current state of a key is its last batch's, unless a later verdict says otherwise.
Each change has a number, and a writer that does not know of the latest one is refused: so of two runs that
believe to be alone, only one can go on.
"""

from __future__ import annotations

import json
import threading
import uuid
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.clock import microseconds, moment
from uploader.errors import LedgerRegression, TryLater
from uploader.ledger import migrations
from uploader.ledger.manifest import Manifest
from uploader.ledger.states import Breaker, Settled, State, require_texts
from uploader.ledger.turns import in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from uploader.clock import Clock
    from uploader.ledger.states import Intent
    from uploader.ledger.store import Store

_BATCH = (
    "insert into batch (destination_no, run_id, field_set_no, outbox_as_of, intent_at, latest_event_at,"
    " earliest_event_at, events, state, change_no) values (:destination_no, :run_id, :field_set_no, :as_of, :now,"
    " :latest, :earliest, :events, :state, :change_no) returning batch_id"
)
_INTENDED: Final = ("event_name", "event_id", "event_at", "consent_at", "payload_hash", "fields")
_SETTLED = (
    "update batch set state = :state, code = :code, trace_id = :trace_id, settled_at = :now,"
    " change_no = :change_no where batch_id = :batch_id"
)
# A verdict counts from the key's last batch on.
_VERDICT = (
    "insert into verdict (destination_no, event_name, event_id, event_at, batch_id, state, reason, was_in_doubt,"
    " decided_at, decided_by, change_no, not_before) values (:destination_no, :event_name, :event_id, :event_at,"
    " coalesce(:batch_id, (select max(e.batch_id) from batch_event e join batch b on b.batch_id = e.batch_id where"
    " e.event_id = :event_id and e.event_name = :event_name and b.destination_no = :destination_no), 0),"
    " :state, :reason, :was_in_doubt, :now, :decided_by, :change_no, :not_before)"
)
_NAMED: Final = (pl.col("event_name"), pl.col("event_id"), pl.col("event_at"), pl.col("reason"))
_OPTIONAL: Final = ("not_before", "batch_id")


class Ledger:
    """The sent log, open. To write, make it with `uploader.ledger.guarded`, which proves that it is the right one."""

    def __init__(self, store: Store, clock: Clock, run_id: str, *, read_only: bool = False) -> None:
        self.store = store
        self.turn = threading.RLock()
        self.run_id = run_id
        self._clock = clock
        self._wrong_by = 0
        store.open(read_only=read_only)
        try:
            migrations.require_newest(store) if read_only else migrations.migrate(store, clock)
            about = dict(store.rows("select key, value from meta", {}))
            self.ledger_id = about["ledger_id"]
            numbers = (int(about[name]) for name in ("begun_at", "high_water", "written_at"))
            self.begun_at, self.high_water, self.written_at = numbers
        except (KeyError, ValueError):
            store.close()
            raise LedgerRegression(f"The sent log {store} has no identity. Restore it from a backup.") from None
        except BaseException:
            store.close()
            raise

    @staticmethod
    def create(store: Store, clock: Clock) -> None:
        """Make an empty log in a place that has none."""
        first = (("ledger_id", uuid.uuid4().hex), ("begun_at", str(microseconds(clock()))))
        store.create([*migrations.statements(0), *(f"insert into meta values ('{k}', '{v}')" for k, v in first)])

    def close(self) -> None:
        """Close the log."""
        self.store.close()

    @property
    def manifest(self) -> Manifest:
        """Who this log is, and how far it has come."""
        return Manifest.of(self.ledger_id, self.high_water, migrations.newest())

    # ------------------------------------------------------------------ writing

    @contextmanager
    def _transaction(self, *, is_stamped: bool = True) -> Iterator[int]:
        """Do everything inside or nothing; yields the time in microseconds, and keeps it as that of the last change."""
        with self.turn:
            before, now = self.high_water, microseconds(self._clock()) - self._wrong_by
            written_at = max(now, self.written_at) if is_stamped else self.written_at
            try:
                with self.store.transaction():
                    self._require_latest(before)
                    yield now
                    self._set("high_water", self.high_water)
                    if is_stamped:
                        self._set("written_at", written_at)
            except BaseException:
                self.high_water = before
                raise
            self.written_at = written_at

    @contextmanager
    def maintenance(self) -> Iterator[None]:
        """Do everything inside or nothing, and nothing when another run has written; for `uploader.ledger.upkeep`."""
        with self._transaction():
            yield

    def _require_latest(self, mark: int) -> None:
        """Raise when another run has written since this one read; until the end of the transaction none can."""
        query = "update meta set value = value where key = 'high_water' and value = :mark"
        if self.store.execute(query, {"mark": str(mark)}) != 1:
            raise TryLater(
                f"Another run has written to the sent log {self.store} meanwhile, so this one stops. "
                "No further request is made; the next run sends what is left."
            )

    def _set(self, key: str, value: int) -> None:
        self.store.execute("update meta set value = :value where key = :key", {"key": key, "value": str(value)})

    def _next_change(self) -> int:
        self.high_water += 1
        return self.high_water

    def _number(self, table: str, column: str, value: str) -> int:
        """Return the number of a destination id or a set of fields, a new one where it is not known yet."""
        about = {"value": value}
        self.store.execute(f"insert into {table} ({column}) values (:value) on conflict ({column}) do nothing", about)
        return int(self.store.rows(f"select {table}_no from {table} where {column} = :value", about)[0][0])

    def _destination_no(self, destination_id: str) -> int:
        return self._number("destination", "destination_id", destination_id)

    def intend(self, intent: Intent) -> int:
        """Put an intent on the disk and return its batch id. Only then may its request be sent."""
        return self.advance((), (intent,))[0]

    def settle(self, batch_id: int, state: State, code: str | None = None, trace_id: str | None = None) -> None:
        """Record what became of a batch: ``acked``, ``released``, or ``dead`` for a single refused event."""
        self.advance((Settled(batch_id, state, code, trace_id),), ())

    @in_turn
    def advance(self, settled: Sequence[Settled], intents: Sequence[Intent], recalled: Sequence[int] = ()) -> list[int]:
        """Record outcomes and put intents on the disk, all in one commit; return the intents' batch ids.

        ``recalled`` are intents of this run whose requests were never begun: they leave no trace.
        """
        events = [intent.events for intent in intents]
        with self._transaction() as now:
            for outcome in settled:
                values = asdict(outcome) | {"state": str(outcome.state), "now": now, "change_no": self._next_change()}
                self.store.execute(_SETTLED, values)
            for batch_id in recalled:
                self.store.execute("delete from batch_event where batch_id = :batch_id", {"batch_id": batch_id})
                self.store.execute("delete from batch where batch_id = :batch_id", {"batch_id": batch_id})
            batch_ids = [self._intend(intent, now) for intent in intents]
            self._insert(batch_ids, events, now)
        if intents:
            self.store.testify(self.manifest)
        return batch_ids

    def _intend(self, intent: Intent, now: int) -> int:
        batch = {
            "destination_no": self._destination_no(intent.destination_id),
            "run_id": self.run_id,
            "field_set_no": self._number("field_set", "paths", json.dumps(list(intent.paths))),
            "as_of": microseconds(intent.outbox_as_of),
            "now": now,
            "latest": intent.events["event_at"].max(),
            "earliest": intent.events["event_at"].min(),
            "events": intent.events.height,
            "state": str(State.INTENT),
            "change_no": self._next_change(),
        }
        return int(self.store.rows(_BATCH, batch)[0][0])

    def _insert(self, batch_ids: Sequence[int], events: Sequence[pl.DataFrame], now: int) -> None:
        """Insert the events of all batches at once: each look at a frame waits for the threads that read and encode."""
        if events:
            numbers = [number for number, frame in zip(batch_ids, events, strict=True) for _ in range(frame.height)]
            columns = (pl.Series("batch_id", numbers), pl.col("first_intent_at").fill_null(now), *_INTENDED)
            rows = pl.concat(events).select(columns)
            require_texts(rows)
            self.store.insert("batch_event", rows)

    @in_turn
    def judge(self, destination_id: str, keys: pl.DataFrame, state: State, decided_by: str | None = None) -> None:
        """Record a verdict on single keys.

        ``keys`` has ``event_name``, ``event_id``, ``event_at`` (microseconds or NULL), ``reason``, ``was_in_doubt``,
        for those put into quarantine ``not_before`` (microseconds), and their last ``batch_id`` where it is known.
        """
        if keys.is_empty():
            return
        given = [pl.col(name) if name in keys.columns else pl.lit(None, pl.Int64).alias(name) for name in _OPTIONAL]
        told = keys.select(*_NAMED, pl.col("was_in_doubt").cast(pl.Int64), *given)
        if told["batch_id"].null_count():
            self.store.index_ids()
        with self._transaction() as now:
            same: dict[str, Any] = {"destination_no": self._destination_no(destination_id), "state": str(state)}
            same |= {"now": now, "decided_by": decided_by or self.run_id}
            rows = told.iter_rows(named=True)
            self.store.execute_many(_VERDICT, (row | same | {"change_no": self._next_change()} for row in rows))
        self.store.testify(self.manifest)

    def watch(self, destination_id: str, since: datetime) -> None:
        """Remember from when on it is known what becomes of a destination's events; see `watched_from`."""
        self._remember(destination_id, {"watched_from": microseconds(since)})

    def pause(self, destination_id: str, until: datetime | None) -> None:
        """Remember until when the platform asked to be left alone; None clears it."""
        self._remember(destination_id, {"not_before": microseconds(until) if until else None})

    def look_back(self, destination_id: str, since: int) -> None:
        """Let the next run look for what expired unsent since then (microseconds), or since this log began."""
        watched, earlier = self._about(destination_id, "watched_from"), max(since, self.begun_at)
        if watched is not None and earlier < watched:
            self._remember(destination_id, {"watched_from": earlier})

    @in_turn
    def correct_clock(self, now: datetime) -> None:
        """Take ``now`` for the time. Where this machine's clock is ahead, what follows is stamped accordingly.

        What was written with a time that lies in the future by that does not stop later runs any more.
        """
        self._wrong_by = max(microseconds(self._clock()) - microseconds(now), 0)
        self.written_at = min(self.written_at, microseconds(now))
        with self._transaction():
            pass  # the end of a transaction writes the time down

    def record_breaker(self, destination_id: str, breaker: Breaker) -> None:
        """Remember how many batches in a row met a passing fault, and until when no other is tried."""
        opened = microseconds(breaker.open_until) if breaker.open_until else None
        self._remember(destination_id, {"transient_failures": breaker.failures, "open_until": opened})

    def _remember(self, destination_id: str, values: Mapping[str, int | None]) -> None:
        changes = ", ".join(f"{column} = :{column}" for column in values)
        with self._transaction(is_stamped=False):
            number: dict[str, int | None] = {"number": self._destination_no(destination_id)}
            self.store.execute(
                f"update destination set {changes} where destination_no = :number", number | dict(values)
            )

    def log_decision(self, decided_by: str, command: str, detail: str) -> None:
        """Remember what a person decided; the keys that it touched carry the same ``decided_by``."""
        query = "insert into decision (decided_at, decided_by, command, detail) values (:now, :by, :command, :detail)"
        with self._transaction() as now:
            self.store.execute(query, {"now": now, "by": decided_by, "command": command, "detail": detail})

    # ------------------------------------------------------------------ reading

    def watched_from(self, destination_id: str) -> datetime | None:
        """Return since when this log would know of an event that expired unsent; None before a first run."""
        return moment(self._about(destination_id, "watched_from"))

    def paused_until(self, destination_id: str) -> datetime | None:
        """Return until when the platform asked to be left alone."""
        return moment(self._about(destination_id, "not_before"))

    def breaker(self, destination_id: str) -> Breaker:
        """Return the state of a destination's breaker."""
        failures = self._about(destination_id, "transient_failures")
        return Breaker(failures or 0, moment(self._about(destination_id, "open_until")))

    def destinations(self) -> list[str]:
        """Return the ids of all destinations that the log knows."""
        return [row[0] for row in self.store.rows("select destination_id from destination order by 1", {})]

    def decisions(self) -> list[tuple[datetime, str, str, str]]:
        """Return what people decided, oldest first: when, who, the command, the detail."""
        rows = self.store.rows("select decided_at, decided_by, command, detail from decision order by decision_no", {})
        return [(moment(at), by, command, detail) for at, by, command, detail in rows]

    @in_turn
    def _about(self, destination_id: str, column: str) -> int | None:
        query = f"select {column} from destination where destination_id = :destination"
        found = self.store.rows(query, {"destination": destination_id})
        return found[0][0] if found else None

    @in_turn
    def frame(self, query: str, values: Mapping[str, Any], schema: pl.Schema) -> pl.DataFrame:
        """Return a query's rows as a frame of the given schema."""
        return self.store.frame(query, values, schema)

    def listed(self, column: str, name: str, texts: Sequence[str]) -> tuple[str, dict[str, Any]]:
        """Return the condition that ``column`` is one of the texts, and the value that it needs."""
        return self.store.listed(column, name), {name: self.store.list_of(texts)}
