"""A sent log in which everything in the marts was sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from uploader.clock import system_clock
from uploader.ledger import Intent, Ledger, SqliteStore, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def fill(folder: Path) -> None:
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
