"""Sent logs of both kinds, to write into by hand and to look at from a second connection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from tests.support.delivering import Clock, World
from uploader.clock import microseconds
from uploader.ledger import Intent, Ledger, Publication, State, Store, guarded, reading
from uploader.sandbox import Sandbox
from uploader.sandbox.wire import Call
from uploader.transport import Answer

KINDS = ("sqlite", "postgres")
META = "meta:42"
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""When every event happened, unless a test says otherwise."""
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
TABLES = ("meta", "destination", "field_set", "batch", "batch_event", "verdict", "decision")
NUMBERED = {"destination": "destination_no", "field_set": "field_set_no", "batch": "batch_id", "verdict": "verdict_id"}
FIXTURES = Path(__file__).parent.parent / "fixtures" / "ledgers"


def events(
    *ids: str, name: str = "Purchase", at: datetime = AT, first: datetime | None = None, payload: bytes = b"h" * 16
) -> pl.DataFrame:
    """Return events as an intent takes them; ``first`` is when an earlier try may have arrived."""
    columns = {
        "event_name": [name] * len(ids),
        "event_id": list(ids),
        "event_at": [microseconds(at)] * len(ids),
        "first_intent_at": pl.Series([microseconds(first) if first else None] * len(ids), dtype=pl.Int64),
        "consent_at": pl.Series([None] * len(ids), dtype=pl.Int64),
        "payload_hash": pl.Series([payload] * len(ids), dtype=pl.Binary),
        "fields": [0b101] * len(ids),
    }
    return pl.DataFrame(columns)


def keys(*ids: str, reason: str, name: str = "Purchase", at: datetime | None = AT, **columns: object) -> pl.DataFrame:
    """Return keys as a verdict takes them."""
    same = {"event_name": name, "reason": reason, "was_in_doubt": False} | columns
    when = pl.Series("event_at", [microseconds(at) if at else None] * len(ids), dtype=pl.Int64)
    frame = pl.DataFrame({"event_id": pl.Series(ids, dtype=pl.String)})
    return frame.with_columns(when, **{name: pl.lit(value) for name, value in same.items()})


@dataclass
class Log:
    """One place of a sent log; each call of ``new_store`` opens another way to it."""

    new_store: Callable[[], Store]
    clock: Clock = field(default_factory=Clock)

    @contextmanager
    def open(
        self, run: str = "run", published: Publication | None = None, *, init: bool = False, locked: bool = False
    ) -> Iterator[Ledger]:
        """Open it as a run does."""
        store = self.new_store()
        if not locked:
            with guarded(store, self.clock, run, published, init=init) as ledger:
                yield ledger
            return
        with store.locked(self.clock), guarded(store, self.clock, run, published, init=init) as ledger:
            yield ledger

    @contextmanager
    def reader(self) -> Iterator[Ledger]:
        """Open it as a command does that only reads."""
        ledger = Ledger(self.new_store(), self.clock, "reader", read_only=True)
        try:
            yield ledger
        finally:
            ledger.close()

    @contextmanager
    def connection(self) -> Iterator[Store]:
        """Open the place itself, past everything that guards it."""
        store = self.new_store()
        store.open(read_only=False)
        try:
            yield store
        finally:
            store.close()

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table."""
        with self.connection() as store:
            return {table: sorted(store.rows(f"select * from {table}", {}), key=repr) for table in TABLES}

    def states(self, *ids: str, destination_id: str = META) -> dict[str, tuple[str, str | None]]:
        """Return state and reason of each key, by its event id, as a second connection reads them."""
        with self.reader() as ledger:
            of_all = reading.states(ledger, destination_id, LONG_AGO)
            found = reading.states_of(ledger, destination_id, ids) if ids else of_all
        return {row["event_id"]: (row["state"], row["reason"]) for row in found.to_dicts()}

    def make_old(self, name: str, tables: Sequence[str]) -> None:
        """Make the log that an older version left: the rows of a fixture, in the schema of migration 0001."""
        step = resources.files("uploader.ledger").joinpath("migrations/0001.sql").read_text(encoding="utf-8")
        schema = [part.strip() for part in re.sub(r"--.*", "", step).split(";") if part.strip()]
        script = (FIXTURES / f"{name}.sql").read_text(encoding="utf-8")
        store = self.new_store()
        rows = [insert for table in tables for insert in re.findall(rf'(INSERT INTO "{table}" VALUES\(.*\));', script)]
        if "PostgreSQL" in str(store):
            rows = [re.sub(r"X'([0-9A-F]*)'", r"decode('\1', 'hex')", row) for row in rows]
            # Where a server counted these rows itself, it would go on from the last one.
            rows += [
                f"select setval(pg_get_serial_sequence('{table}', '{column}'), (select max({column}) from {table}))"
                for table, column in NUMBERED.items()
            ]
        store.create([*schema, *rows])


def send(ledger: Ledger, *ids: str, state: State | None = None, code: str | None = None, **event: Any) -> int:
    """Record a batch to the destination ``META``, and its outcome where a ``state`` is given."""
    batch = ledger.intend(Intent(META, events(*ids, **event), ["event_id", "value", "currency"], AT))
    if state is not None:
        ledger.settle(batch, state, code, "trace")
    return batch


class Counting:
    """Meta's stand-in, asked without a network: it counts by rules of its own. ``before`` is told of each request."""

    def __init__(self, clock: Clock, before: Callable[[list[str]], None] = lambda _ids: None) -> None:
        self.sandbox = Sandbox(token="token", dataset_ids=["42"], clock=clock)
        self.before = before
        self.requests: list[list[str]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one POST; see `uploader.delivery.surroundings.Post`."""
        ids = [event["event_id"] for event in json.loads(body)["data"]]
        self.requests.append(ids)
        self.before(ids)
        lower = {name.lower(): value for name, value in headers.items()}
        answer = self.sandbox.reply(Call("POST", urlsplit(url).path, {}, lower, body), None)
        return Answer(answer.status, answer.body, {})

    def counted(self) -> dict[str, int]:
        """Return how often each event was counted."""
        ids = [event["event_id"] for event in self.sandbox.counted("42")]
        return {event_id: ids.count(event_id) for event_id in ids}


def _nowhere() -> Store:
    raise AssertionError("a host needs a log")


@dataclass
class Host(World):
    """One of several hosts that deliver for one shop: it takes the lock of the log that they share."""

    new_store: Callable[[], Store] = _nowhere
    name: str = "host"
    published: Publication | None = None

    def store(self) -> Store:
        """Return this host's own way to the log."""
        return self.new_store()

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the log as `uploader send` does."""
        store = self.store()
        with store.locked(self.clock), guarded(store, self.clock, self.name, self.published) as ledger:
            yield ledger
