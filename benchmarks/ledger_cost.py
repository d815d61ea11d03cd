"""What the sent log costs: time per batch, and a run in which nothing is new: `python -m benchmarks.ledger_cost`.

Prints the 50th and 95th percentile of intent and ack together, in a file and (where PostgreSQL is installed) in a
database, and the wall time of ``uploader send`` when every event was sent before. An argument says how many batches
of a thousand events there are.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from tests.support.frames import event_frame
from tests.support.postgres import server
from tests.support.servers import program
from tests.support.shop import ROOT, orders, write_marts
from uploader.clock import microseconds
from uploader.ledger import Intent, SqliteStore, State, Store, guarded
from uploader.ledger.postgres import PostgresStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
OLD = timedelta(days=40)
ROWS = 1_000
RUNS = 3


def numbered(position: int) -> str:
    """Make an id as most shops do: order by order."""
    return f"purchase.{position}"


def spread(position: int) -> str:
    """Make an id as a UUID is: those of one batch stand at a thousand places of an index."""
    return f"purchase.{position * 7_919 % 1_000_003:07}"


def batches(first: int, last: int, name: Callable[[int], str], at: datetime) -> Iterator[pl.DataFrame]:
    """Make batches of events as an intent takes them."""
    for start in range(first * ROWS, last * ROWS, ROWS):
        ids = [name(position) for position in range(start, start + ROWS)]
        yield pl.DataFrame(
            {
                "event_name": ["Purchase"] * ROWS,
                "event_id": ids,
                "event_at": [microseconds(at - timedelta(hours=30))] * ROWS,
                "first_intent_at": pl.Series([None] * ROWS, dtype=pl.Int64),
                "consent_at": [microseconds(at - timedelta(days=9))] * ROWS,
                "payload_hash": [hashlib.sha256(text.encode()).digest()[:16] for text in ids],
                "fields": [0b1011_0111_0101] * ROWS,
            }
        )


def fill(store: Store, count: int, old: int = 0, name: Callable[[int], str] = numbered) -> list[float]:
    """Write batches, the first of them as if forty days ago; return the milliseconds of intent and ack of each."""
    spent = []
    for first, last, now in ((0, old, NOW - OLD), (old, count, NOW)):
        clock = lambda moment=now: moment  # noqa: E731 - bound to this round
        with store.locked(clock), guarded(store, clock, "benchmark", None) as ledger:
            for events in batches(first, last, name, now):
                begun = time.perf_counter()
                ledger.settle(ledger.intend(Intent("meta:42", events, ["event_id"], now)), State.ACKED)
                spent.append((time.perf_counter() - begun) * 1000)
    return sorted(spent)


def told(name: str, spent: list[float]) -> str:
    """Say percentiles."""
    p50, p95 = spent[len(spent) // 2], spent[len(spent) * 95 // 100]
    return f"{name}: intent and ack of {ROWS} events: p50 {p50:.1f} ms, p95 {p95:.1f} ms, over {len(spent)} batches"


def fill_marts(warehouse: Path, count: int, old: int) -> None:
    """Write marts with the same events; the old ones are held as expired."""
    write_marts(warehouse, event_frame(*orders(1, event_at="2026-11-19T08:00:00")))
    with duckdb.connect(str(warehouse)) as connection:
        for table in ("fct_conversion_events", "fct_conversion_outbox"):
            connection.execute(
                f"create or replace table {table} as select t.* replace ('purchase.' || n as event_key, "
                f"'purchase.' || n as event_id) from {table} as t, range({count * ROWS}) as numbers(n)"
            )
        connection.execute(
            "update fct_conversion_outbox set is_sendable = false, hold_reason = 'expired', "
            f"expires_at = expires_at - interval 40 day where cast(event_id[10:] as integer) < {old * ROWS}"
        )


def nothing_new(folder: Path) -> float:
    """Return the seconds of the fastest of some runs; the first one publishes, and makes the day's backup."""
    for name in ("dbt_project.yml", "profiles.yml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    environment = os.environ | {
        "UPLOADER_NOW": NOW.isoformat(),
        "META_ACCESS_TOKEN": "token",
        "UPLOADER__DESTINATIONS__META__DATASET_ID": "42",
        "UPLOADER__DESTINATIONS__META__BASE_URL": "http://127.0.0.1:9",
        "PYTHONPATH": str(ROOT),
    }
    spent = []
    for _ in range(1 + RUNS):
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "uploader", "send"], check=True, cwd=folder, env=environment, capture_output=True
        )
        spent.append(time.perf_counter() - begun)
    print(f"  {done.stdout.decode().strip()}")
    return min(spent[1:])


def main() -> None:
    """Print all figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    for old in (0, count * 92 // 100):
        with tempfile.TemporaryDirectory() as name:
            log = Path(name) / "sent_log.sqlite"
            print(told("SQLite", fill(SqliteStore(log), count, old)))
            print(f"SQLite: {log.stat().st_size / count / ROWS:.0f} bytes per event")
            fill_marts(Path(name) / "warehouse.duckdb", count, old)
            seconds = nothing_new(Path(name))
            print(f"nothing new, {count * ROWS:,} events, {(count - old) * ROWS:,} in the window: {seconds:.2f} s")
    with tempfile.TemporaryDirectory() as name:
        spent = fill(SqliteStore(Path(name) / "sent_log.sqlite"), count, name=spread)
        print(told("SQLite, ids in no order", spent))
    if program("initdb"):
        with server() as running:
            print(told("PostgreSQL", fill(PostgresStore(running.fresh()), min(count, 200))))


if __name__ == "__main__":
    main()
