"""What an intent says of its events, and for how long its batch may be tried."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.delivering import NOW, World, orders
from uploader.delivery.flights import EARNED
from uploader.transport import Answer


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop that never sent anything."""
    return World(tmp_path)


def test_the_oldest_doubt_of_a_batch_ends_its_tries(world: World) -> None:
    """One event was first sent 47 hours ago, less ten seconds, and another one later: neither is tried once more."""
    world.platform.judge = lambda _: Answer(500, b"", {"retry-after": "30"})
    for hours, rows in ((0, orders(1)), (10, orders(2))):
        world.clock.now = NOW + timedelta(hours=hours)
        world.run(rows)
    world.clock.now = NOW + timedelta(hours=47, seconds=-10)
    before = len(world.platform.requests)
    world.run(orders(2))
    assert world.platform.requests[before:] == [["purchase.1", "purchase.2"]]


def test_an_intent_names_the_time_of_the_decision_it_relies_on(world: World) -> None:
    """With that of the event, whether batches go alone or several together."""
    world.settings = {"batch_size": 1}
    count = EARNED + 2
    decided = [datetime(2026, 11, 1, 9, minute) for minute in range(count)]
    world.run(orders(count).with_columns(pl.Series("consent_decided_at", decided, dtype=pl.Datetime("us"))))
    with world.ledger() as ledger:
        found = dict(ledger.store.rows("select event_id, consent_at from batch_event", {}))
    first = 1_793_523_600_000_000  # 2026-11-01 09:00 UTC
    assert found == {f"purchase.{n + 1}": first + n * 60_000_000 for n in range(count)}
