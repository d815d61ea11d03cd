"""Several destinations write to one sent log at the same time: they take turns, and nothing of any is lost."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.delivering import NOW, Clock
from uploader.ledger import Breaker, Intent, Ledger, SqliteStore, State, guarded, reading

ROUNDS = 40
PLACES = ("a:1", "b:2", "c:3", "d:4")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new sent log, and threads that lose their turn to run as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with guarded(SqliteStore(tmp_path / "sent_log.sqlite"), Clock(), "run", None) as made:
        yield made
    sys.setswitchinterval(usual)


def _intent(place: str, number: int) -> Intent:
    events = pl.DataFrame(
        {
            "event_name": ["Purchase"],
            "event_id": [f"{place}.{number}"],
            "event_at": [0],
            "first_intent_at": pl.Series([None], dtype=pl.Int64),
            "consent_at": pl.Series([None], dtype=pl.Int64),
            "payload_hash": [b"x" * 16],
            "fields": [1],
        }
    )
    return Intent(place, events, ("event_id",), NOW)


def test_nobody_takes_another_destination_for_another_run(ledger: Ledger) -> None:
    """Intents, outcomes, verdicts, pauses and breakers of four destinations, all at once: every one is there."""
    begin = threading.Barrier(len(PLACES))

    def send(place: str) -> None:
        begin.wait()
        for number in range(ROUNDS):
            batch_id = ledger.intend(_intent(place, number))
            ledger.pause(place, NOW + timedelta(minutes=1))
            ledger.settle(batch_id, State.ACKED)
            ledger.record_breaker(place, Breaker(number))
            ledger.watch(place, NOW)
            assert ledger.paused_until(place) is not None

    with ThreadPoolExecutor(len(PLACES)) as pool:
        list(pool.map(send, PLACES))
    for place in PLACES:
        ids = [f"{place}.{number}" for number in range(ROUNDS)]
        assert reading.states_of(ledger, place, ids)["state"].to_list() == ["acked"] * ROUNDS
        assert ledger.breaker(place).failures == ROUNDS - 1
    assert ledger.high_water == 2 * ROUNDS * len(PLACES)
