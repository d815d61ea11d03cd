"""The uploader, part by part: `python -m benchmarks.contenders.ours encode|read|ledger|publish|post …`.

Each part is timed alone, over the rows of the marts in the current folder. This module is the one that knows how the
uploader is put together; whatever of that changes is changed here.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import polars as pl
import pyarrow as pa

import uploader.columns  # noqa: F401 - `encode` imports it when it is used first, which is not what is timed
from benchmarks.contenders.timing import Stopwatch
from uploader.clock import system_clock
from uploader.delivery.flights import MOST
from uploader.destinations.interface import Account, Secret
from uploader.destinations.meta import DESTINATION
from uploader.encode import Encoded, leaf_paths, pack
from uploader.encode import encode as encoded
from uploader.events import EVENTS, OUTBOX
from uploader.ledger import Intent, Settled, SqliteStore, State, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK: Final = 10_000
ACCOUNT: Final = Account("42", "http://127.0.0.1:9", "v26.0", Secret("token"), None)
BODY: Final = DESTINATION.body(ACCOUNT)
WAREHOUSE: Final = "warehouse.duckdb"


def frames(warehouse: str = WAREHOUSE) -> Iterator[pl.DataFrame]:
    """Read whole rows, some thousand at a time, as delivery gets them."""
    known = ", ".join(f"events.{name}" for name in EVENTS)
    decided = ", ".join(f"outbox.{name}" for name in OUTBOX if name not in EVENTS)
    with duckdb.connect(warehouse, read_only=True) as connection:
        found = connection.execute(
            f"select {known}, {decided} from fct_conversion_events as events "
            "inner join fct_conversion_outbox as outbox on outbox.event_key = events.event_key where outbox.is_sendable"
        )
        reader: Any = found.to_arrow_reader(CHUNK)
        for batch in reader:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            yield frame


def bodies(frame: pl.DataFrame) -> Iterator[tuple[range, Encoded, bytes]]:
    """Make the finished bodies of some rows, each with the places of its rows: encode, pack, and wrap."""
    made = encoded(frame, BODY)
    for first, last in pack(made.sizes, DESTINATION.limits, DESTINATION.envelope_bytes(ACCOUNT)):
        yield range(first, last), made, DESTINATION.request(ACCOUNT, made.joined(first, last)).body


def encode(warehouse: str = WAREHOUSE) -> None:
    """Time the way from a frame of rows to bodies, each of which is gone when the next one is made, as in `send`."""
    pa.set_cpu_count(1)
    watch = Stopwatch()
    for frame in frames(warehouse):
        made = bodies(frame)
        while True:
            with watch.running():
                _, _, body = next(made, (None, None, b""))
            if not body:
                break
            watch.events += body.count(b"event_name")
    watch.tell()


def read() -> None:
    """Time what `send` reads: the outbox, the diff with an empty sent log, and the rows due, a part after the other."""
    from uploader.cli.context import Context
    from uploader.cli.digests import Digests
    from uploader.cli.survey import Choice, candidates, due_parts, plans
    from uploader.delivery.chunks import needed
    from uploader.delivery.planning import PART_ROWS
    from uploader.warehouse import Visits, reading

    context, choice, watch = Context.load(), Choice(()), Stopwatch()
    with watch.running(), reading(context.profile) as connection:
        digests = Digests(context, connection, may_be_known=True)
        for entry in plans(context, connection, None, candidates(context, connection, choice), choice, digests.of):
            parts = due_parts(Visits(context.profile), connection, entry.queue(PART_ROWS), needed(entry.target))
            watch.events += sum(part.height for part in parts)
    watch.tell()


def _intents(frame: pl.DataFrame, now: datetime) -> list[Intent]:
    """Return the intents of some rows, a thousand events in each."""
    made = encoded(frame, BODY)
    events = frame.select(
        *("event_name", "event_id"),
        pl.col("event_at").dt.epoch("us").alias("event_at"),
        pl.lit(None, pl.Int64).alias("first_intent_at"),
        pl.col("consent_decided_at").dt.epoch("us").alias("consent_at"),
        pl.Series("payload_hash", made.hashes(), pl.Binary),
        made.fields,
    )
    paths, size = leaf_paths(BODY), DESTINATION.limits.events
    return [Intent("meta:42", part, paths, now) for part in events.iter_slices(size)]


def ledger(path: str = "sent_log.sqlite") -> None:
    """Time the sent log's part: intents and answers, every one on the disk before it counts, and its close."""
    clock, watch, acked = system_clock(), Stopwatch(), list[Settled]()
    with watch.running():
        opened = guarded(SqliteStore(Path(path)), clock, "bench", None)
        log = opened.__enter__()
    for frame in frames():
        intents = _intents(frame, datetime.now(UTC))
        for start in range(0, len(intents), MOST):
            together = intents[start : start + MOST]
            with watch.running():
                numbers = log.advance(acked, together)
                acked = [Settled(number, State.ACKED, None, "x") for number in numbers]
            watch.events += sum(intent.events.height for intent in together)
    with watch.running():
        log.advance(acked, ())
        opened.__exit__(None, None, None)
    watch.tell()


def publish(path: str = "sent_log.sqlite") -> None:
    """Time the copy of a whole sent log, which `ledger` left, into the warehouse."""
    from uploader.cli.context import Context
    from uploader.cli.publishing import publish_changes

    context, watch = Context.load(), Stopwatch()
    with guarded(SqliteStore(Path(path)), context.clock, "bench", None) as log, watch.running():
        publish_changes(context, log, None, lambda _seconds: None)
        watch.events = log.high_water
    watch.tell()


def post(url: str) -> None:
    """Time nothing but requests: the same bodies, one after the other, over a bare session."""
    import requests

    watch = Stopwatch()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer token"}
    with requests.Session() as session:
        for frame in frames():
            for rows, _, body in bodies(frame):
                with watch.running():
                    answer = session.post(f"{url}/v26.0/42/events", data=body, headers=headers, timeout=30)
                    taken = answer.json()["events_received"]
                assert taken == len(rows)
                watch.events += taken
    watch.tell()


if __name__ == "__main__":
    parts: dict[str, Callable[..., None]] = {
        "encode": encode,
        "read": read,
        "ledger": ledger,
        "publish": publish,
        "post": post,
    }
    parts[sys.argv[1]](*sys.argv[2:])
