"""What the sent log costs: time per batch, and a run in which nothing is new (`python -m benchmarks.ledger_cost`).

Prints the 50th and 95th percentile of intent and ack together, in a file and (where ``LEDGER_URL`` has the address of
an empty database) in PostgreSQL, and the wall time of ``uploader send`` when every event was sent before.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from tests.support.shop import ROOT, orders, write_marts
from tests.support.frames import event_frame
from uploader.clock import microseconds
from uploader.ledger import Intent, SqliteStore, State, Store, guarded
from uploader.ledger.postgres import PostgresStore

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
ROWS = 1_000


def batches(count: int) -> Iterator[pl.DataFrame]:
    """Make batches of events as an intent takes them; ids come in no order, as a hash's would."""
    for number in range(count):
        ids = [f"purchase.{position * 7_919 % (count * ROWS)}" for position in range(number * ROWS, (number + 1) * ROWS)]
        yield pl.DataFrame(
            {
                "event_name": ["Purchase"] * ROWS,
                "event_id": ids,
                "event_at": [microseconds(NOW - timedelta(hours=30))] * ROWS,
                "first_intent_at": pl.Series([None] * ROWS, dtype=pl.Int64),
                "consent_at": [microseconds(NOW - timedelta(days=9))] * ROWS,
                "payload_hash": [hashlib.sha256(text.encode()).digest()[:16] for text in ids],
                "fields": [0b1011_0111_0101] * ROWS,
            }
        )


def fill(store: Store, count: int) -> list[float]:
    """Write that many batches; return the milliseconds that intent and ack of each took."""
    spent = []
    with store.locked(lambda: NOW), guarded(store, lambda: NOW, "benchmark", None) as ledger:
        for events in batches(count):
            begun = time.perf_counter()
            ledger.settle(ledger.intend(Intent("meta:42", events, ["event_id"], NOW)), State.ACKED)
            spent.append((time.perf_counter() - begun) * 1000)
    return sorted(spent)


def told(name: str, spent: list[float]) -> str:
    """Say percentiles."""
    p50, p95 = spent[len(spent) // 2], spent[len(spent) * 95 // 100]
    return f"{name}: intent and ack of {ROWS} events: p50 {p50:.1f} ms, p95 {p95:.1f} ms, over {len(spent)} batches"


def nothing_new(folder: Path, count: int) -> float:
    """Return the seconds of ``uploader send`` with a window of that many batches, all acked."""
    write_marts(folder / "warehouse.duckdb", event_frame(*orders(1, event_at="2026-11-19T08:00:00")))
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        for table in ("fct_conversion_events", "fct_conversion_outbox"):
            warehouse.execute(
                f"create or replace table {table} as select t.* replace ('purchase.' || n as event_key, "
                f"'purchase.' || n as event_id) from {table} as t, range({count * ROWS}) as numbers(n)"
            )
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
    for _ in range(3):
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "uploader", "send"], check=False, cwd=folder, env=environment, capture_output=True
        )
        spent.append(time.perf_counter() - begun)
        print(done.returncode, done.stdout.decode().strip(), done.stderr.decode().strip(), f"{spent[-1]:.2f} s")
    return min(spent)


def main() -> None:
    """Print all figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "sent_log.sqlite"
        print(told("SQLite", fill(SqliteStore(log), count)))
        print(f"SQLite: {log.stat().st_size / count / ROWS:.0f} bytes per event")
        if url := os.environ.get("LEDGER_URL"):
            print(told("PostgreSQL", fill(PostgresStore(url), min(count, 200))))
        print(f"nothing new, {count * ROWS:,} events in the window: {nothing_new(folder, count):.2f} s")


if __name__ == "__main__":
    main()
