"""What is measured upon, made in a process of its own: `python -m benchmarks.fixtures WHAT ARGUMENTS`.

marts FILE EVENTS AS_OF [RECENT]   marts with that many events, the last RECENT of them in the window
shop FILE ORDERS END               raw tables
more FILE ORDERS END FIRST         further orders for them
forget FILE                        the warehouse's copy of the sent log leaves
sent FOLDER                        everything in the marts was sent: sent log and copy
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from benchmarks import made_up_marts, made_up_shop
from uploader.clock import system_clock
from uploader.ledger import Intent, Ledger, SqliteStore, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.ledger.manifest import Manifest

_DESTINATION = "meta:42"
_BATCH = 1_000


class UnsyncedStore(SqliteStore):
    """A sent log that is filled quickly: nobody pulls the plug meanwhile."""

    def open(self, *, read_only: bool) -> None:
        """See `Store.open`."""
        super().open(read_only=read_only)
        self.rows("pragma synchronous = off", {})

    def testify(self, manifest: Manifest) -> None:
        """Leave it to the end."""


def _batches(warehouse: duckdb.DuckDBPyConnection) -> Iterator[pl.DataFrame]:
    found = warehouse.execute(
        "select event_name, event_id, epoch_us(event_at) as event_at, null::bigint as first_intent_at, "
        "epoch_us(consent_decided_at) as consent_at, unhex(md5(event_id)) as payload_hash, 2933::bigint as fields "
        "from fct_conversion_outbox"
    )
    reader: Any = found.to_arrow_reader(100 * _BATCH)
    for chunk in reader:
        frame = pl.from_arrow(chunk)
        assert isinstance(frame, pl.DataFrame)
        yield from frame.iter_slices(_BATCH)


def sent(folder: Path) -> None:
    """Fill the sent log by its own means, batch by batch, and its copy in one statement."""
    store, clock, now = UnsyncedStore(folder / "sent_log.sqlite"), system_clock(), datetime.now(UTC)
    Ledger.create(store, clock)
    store.prove(None, read_only=False)
    log = Ledger(store, clock, "bench")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        for events in _batches(warehouse):
            log.settle(log.intend(Intent(_DESTINATION, events, ["event_id"], now)), State.ACKED)
        log.watch(_DESTINATION, now)
        warehouse.execute(
            "create or replace table sent_log as select destination, $id as destination_id, event_name, event_id, "
            "'acked' as state, null::varchar as reason, $now::timestamp as first_intent_at, "
            "$now::timestamp as updated_at from fct_conversion_outbox",
            {"id": _DESTINATION, "now": now.replace(tzinfo=None)},
        )
        warehouse.execute(
            "create or replace table sent_log_meta as select $id as ledger_id, $mark::bigint as high_water",
            {"id": log.ledger_id, "mark": log.high_water},
        )
    manifest = log.manifest
    log.close()
    SqliteStore.testify(store, manifest)


def forget(warehouse: Path) -> None:
    """Drop the copy of the sent log."""
    with duckdb.connect(str(warehouse)) as connection:
        for table in ("sent_log", "sent_log_meta"):
            connection.execute(f"drop table if exists {table}")


def more(shop: Path, orders: int, end: datetime, first: int) -> None:
    """Add orders to raw tables."""
    with duckdb.connect(str(shop)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        made_up_shop.add(connection, orders, end, first)


def main(what: str, path: str, *rest: str) -> None:
    """Make one thing."""
    if what == "marts":
        recent = int(rest[2]) if len(rest) > 2 else None
        made_up_marts.write(Path(path), int(rest[0]), datetime.fromisoformat(rest[1]), recent=recent)
    elif what == "shop":
        made_up_shop.make(Path(path), int(rest[0]), datetime.fromisoformat(rest[1]))
    elif what == "more":
        more(Path(path), int(rest[0]), datetime.fromisoformat(rest[1]), int(rest[2]))
    else:
        {"forget": forget, "sent": sent}[what](Path(path))


if __name__ == "__main__":
    main(*sys.argv[1:])
