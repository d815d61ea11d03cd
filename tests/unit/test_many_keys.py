"""Many keys of the sent log are looked at some at a time, and come out as if they were looked at together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from tests.support.at_once import changes_since
from tests.support.delivering import Clock
from tests.support.two_kinds import AT, META, events, keys, send
from uploader.ledger import Intent, Ledger, SqliteStore, State, guarded, reading

BATCH, BATCHES = 2_000, 20
PART = 10_000
"""So many keys are looked for by the window of their times."""
EVERY = [f"plenty.{number}" for number in range(BATCH * BATCHES)]


class WatchedStore(SqliteStore):
    """A sent log that remembers the longest answer it gave."""

    longest = 0

    def rows(self, query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """See `Store.rows`."""
        found = super().rows(query, values)
        self.longest = max(self.longest, len(found))
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> WatchedStore:
    """Twenty batches, an hour after each other; of some keys there is more than one batch, or a verdict."""
    store = WatchedStore(tmp_path_factory.mktemp("log") / "sent_log.sqlite")
    with guarded(store, Clock(), "run", None) as ledger:
        send(ledger, "twice", at=AT, state=State.RELEASED)
        for number in range(BATCHES):
            sent = batch(number)
            ledger.settle(ledger.intend(Intent(META, sent, ["event_id"], AT)), State.ACKED)
        send(ledger, "twice", "late", at=AT + timedelta(hours=BATCHES), state=State.RELEASED)
        ledger.judge(META, keys("late", "never sent", reason="expired"), State.EXPIRED)
        ledger.judge(META, keys("never sent", reason="dropped"), State.SUPPRESSED)
    return store


@pytest.fixture
def ledger(store: WatchedStore) -> Iterator[Ledger]:
    """The same, open."""
    with guarded(store, Clock(), "next", None) as ledger:
        store.longest = 0
        yield ledger


def batch(number: int) -> pl.DataFrame:
    """Return the events of one batch."""
    return events(*EVERY[number * BATCH : (number + 1) * BATCH], at=AT + timedelta(hours=number))


def test_states_are_found_part_by_part(store: WatchedStore, ledger: Ledger) -> None:
    """Those of each part, and no more of the log is read for them than the batches that lie around it."""
    successive, per_part = reading.Successive(ledger, META), PART // BATCH
    for first in range(0, BATCHES, per_part):
        part = pl.concat([batch(number) for number in range(first, first + per_part)])
        found = successive.of(part.select("event_name", "event_id", "event_at"))
        assert sorted(found["event_id"]) == sorted(part["event_id"])
        assert found["state"].unique().to_list() == ["acked"]
    assert store.longest <= PART + BATCH


def test_many_keys_can_be_asked_for_with_their_own_times_alone(ledger: Ledger) -> None:
    """As a run asks for what it has just written: an event that was sent at another time is looked for elsewhere."""
    sent = pl.concat([batch(number) for number in range(PART // BATCH)])
    moved = sent.with_columns(pl.col("event_at") + timedelta(days=30) // timedelta(microseconds=1))
    assert reading.states_for(ledger, META, sent, at_other_times=False).height == sent.height
    assert reading.states_for(ledger, META, moved).height == sent.height
    assert reading.states_for(ledger, META, moved, at_other_times=False).is_empty()


def test_what_changed_comes_some_at_a_time_and_each_key_once(store: WatchedStore, ledger: Ledger) -> None:
    """With the state of its last batch or verdict, whichever part that is in."""
    parts = list(reading.changes_in_parts(ledger, 0, PART))
    whole = pl.concat(parts)
    assert sorted(whole["event_id"]) == sorted([*EVERY, "twice", "late", "never sent"])
    assert max(part.height for part in parts) <= PART
    assert store.longest <= PART + BATCH
    odd = whole.filter(~pl.col("event_id").str.starts_with("plenty"))
    assert sorted(odd.select("event_id", "state", "reason").rows()) == [
        ("late", "expired", "expired"),
        ("never sent", "suppressed", "dropped"),
        ("twice", "released", None),
    ]


def test_nothing_that_changed_is_left_out_because_of_a_part(ledger: Ledger) -> None:
    """Parts of one key, of a few, and all at once say the same of the last changes."""
    mark = ledger.high_water - 8
    whole = changes_since(ledger, mark).sort("event_id")
    assert whole.height > BATCH
    for rows in (1, BATCH, PART):
        found = pl.concat(reading.changes_in_parts(ledger, mark, rows)).sort("event_id")
        assert found.equals(whole)
