"""What the sent log amounts to: counted by the database, and the same on either engine."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.delivering import NOW, Clock
from tests.support.proof import size
from tests.support.sent_logs import ENGINES, META, dead, held, judged, live, place, sent
from uploader.ledger import STATES, Ledger, State, Store, guarded, reading, summary
from uploader.ledger.summary import Wanted

EPOCH = datetime(1970, 1, 1)


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """The place of a sent log."""
    return place(request.param, request, tmp_path)


@pytest.fixture
def clock() -> Clock:
    """The clock of the log."""
    return Clock()


@pytest.fixture
def ledger(store: Store, clock: Clock) -> Iterator[Ledger]:
    """An empty sent log, open."""
    with guarded(store, clock, "run", None) as opened:
        yield opened


def test_every_key_is_counted_where_it_ended(ledger: Ledger) -> None:
    """However it came there: accepted at once, refused and halved, sent again, or judged."""
    ledger.settle(sent(ledger, ["a", "b", "c"]), State.ACKED)
    ledger.settle(sent(ledger, ["d", "e", "f"]), State.RELEASED, "100/2804050")
    ledger.settle(sent(ledger, ["d", "e"]), State.ACKED)
    dead(ledger, "f")
    sent(ledger, ["g", "h", "i"])
    ledger.settle(sent(ledger, ["g"]), State.ACKED)
    judged(ledger, ["h"], State.HELD, "past_dedup_window")
    judged(ledger, ["j"], State.EXPIRED, "expired")
    judged(ledger, ["f"], State.RELEASED, "requeued")
    judged(ledger, ["b"], State.RELEASED, "asked")
    sent(ledger, ["b"])
    found = {(group.state, group.reason): (group.rows, group.examples) for group in summary.groups(ledger, META)}
    assert found == {
        ("acked", None): (5, ()),
        ("intent", None): (2, ("b", "i")),
        ("released", "requeued"): (1, ("f",)),
        ("held", "past_dedup_window"): (1, ("h",)),
        ("expired", "expired"): (1, ("j",)),
    }
    states = {"intent": 2, "released": 1, "acked": 5, "dead": 0, "expired": 1, "held": 1, "suppressed": 0}
    assert summary.counts(ledger) == {META: states}


STEPS = st.lists(
    st.tuples(
        st.sets(st.sampled_from("abcdef"), min_size=1),
        st.sampled_from(["intent", "acked", "released", "dead", "held", "suppressed", "expired", "requeued"]),
    ),
    max_size=12,
)


def test_no_life_of_a_key_is_counted_wrong(ledger: Ledger) -> None:
    """Whatever runs and people did to six keys: each is counted once, where it ended, and so says the diff's side."""
    destinations = (f"meta:{number}" for number in itertools.count())

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def check(steps: list[tuple[set[str], str]]) -> None:
        name = next(destinations)
        ended = live(ledger, name, steps)
        counted = summary.by_state(summary.groups(ledger, name))
        assert counted == {state: list(ended.values()).count(state) for state in STATES}
        for state in set(STATES) - {"acked"}:
            keys = summary.keys_in(ledger, name, State(state), Wanted())["event_id"]
            assert sorted(keys) == sorted(key for key, where in ended.items() if where == state)
        known = reading.states(ledger, name, EPOCH)
        assert dict(known.select("event_id", "state").rows()) == ended

    check()


def test_a_group_tells_its_ages_and_its_oldest_five(ledger: Ledger, clock: Clock) -> None:
    """The oldest event and the first entry; examples by age; the platform's traces."""
    for number in range(7):
        events = [f"purchase.{number}"]
        ledger.settle(sent(ledger, events, hours_ago=10 - number), State.DEAD, "100/2804050", f"A{number}")
        clock.forward(minutes=1)
    (group,) = summary.groups(ledger, META)
    assert (group.rows, group.since) == (7, NOW)
    assert group.oldest_event_at == NOW - timedelta(hours=10)
    assert group.examples == ("purchase.0", "purchase.1", "purchase.2", "purchase.3", "purchase.4")
    assert group.trace_ids == ("A0", "A1", "A2", "A3", "A4")


def test_ages_of_what_was_accepted(ledger: Ledger, clock: Clock) -> None:
    """The oldest event of all batches, and the first answer."""
    ledger.settle(sent(ledger, ["a"], hours_ago=3), State.ACKED)
    clock.forward(hours=1)
    ledger.settle(sent(ledger, ["b"], hours_ago=30), State.ACKED)
    (group,) = summary.groups(ledger, META)
    assert (group.rows, group.oldest_event_at, group.since) == (2, NOW - timedelta(hours=30), NOW)


def test_a_doubt_began_with_the_first_intent(ledger: Ledger, clock: Clock) -> None:
    """Sending again does not make it younger, where the run hands the first intent on."""
    sent(ledger, ["a"])
    clock.forward(hours=1)
    sent(ledger, ["a"], first_intent_at=NOW)
    (group,) = summary.groups(ledger, META)
    assert (group.state, group.rows, group.since) == ("intent", 1, NOW)


def test_keys_are_listed_by_reason_and_age(ledger: Ledger, clock: Clock) -> None:
    """With the request that they were in, and who decided; as many as asked for."""
    held(ledger, ["young"], "row_gone", hours_ago=1)
    held(ledger, ["old"], "row_gone", hours_ago=50)
    held(ledger, ["other"], "expired", hours_ago=1)
    judged(ledger, ["never sent"], State.HELD, "row_gone", hours_ago=60)
    keys = summary.keys_in(ledger, META, State.HELD, Wanted())
    assert keys["event_id"].to_list() == ["other", "never sent", "old", "young"]
    assert keys["run_id"].to_list() == ["run", None, "run", "run"]
    assert set(keys["decided_by"]) == {"run"}
    assert summary.keys_in(ledger, META, State.HELD, Wanted(), 2)["event_id"].to_list() == ["other", "never sent"]
    some = summary.keys_in(ledger, META, State.HELD, Wanted(event_ids=["old", "young", "unknown"]))
    assert some["event_id"].to_list() == ["old", "young"]
    assert summary.keys_in(ledger, META, State.HELD, Wanted(reasons=["expired"]))["event_id"].to_list() == ["other"]
    assert summary.keys_in(ledger, META, State.HELD, Wanted(reasons=[])).is_empty()
    assert summary.keys_in(ledger, "meta:43", State.HELD, Wanted()).is_empty()


class Counting:
    """A store that counts the rows it hands over."""

    def __init__(self, store: Store) -> None:
        self._store, self.handed = store, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def rows(self, query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Answer as the store does."""
        found = self._store.rows(query, values)
        self.handed += len(found)
        return found


def fill(ledger: Ledger, keys: int) -> None:
    """Let a thousand keys a batch be accepted, without the way through a run."""
    series = "with recursive n(i) as (select 0 union all select i + 1 from n where i < :last) select"
    ledger.settle(sent(ledger, ["first"]), State.ACKED)
    ledger.store.execute(
        f"insert into batch {series} i + 1000, 1, 'run', 1, 1, 1, 1, 1000, 'acked', 1, null, null, -i, 1 from n",
        {"last": keys // 1000 - 1},
    )
    ledger.store.execute(
        f"insert into batch_event {series} i / 1000 + 1000, 'Purchase', 'purchase.' || cast(i as text), i, 1, 1,"
        " :hash, 1 from n",
        {"last": keys - 1, "hash": b"0123456789abcdef"},
    )


def test_the_database_counts(ledger: Ledger, figure: Callable[[str, str], None]) -> None:
    """What is acked comes to us as a number, however much it is; only what is in trouble comes by its keys."""
    keys = size(50_000, 1_000_000)
    fill(ledger, keys)
    held(ledger, [f"held.{number}" for number in range(100)])
    store = ledger.store
    ledger.store = counting = Counting(store)  # type: ignore[assignment]
    begun = time.perf_counter()
    counted = summary.counts(ledger)
    figure("status", f"{keys:,} acked keys counted in {time.perf_counter() - begun:.1f} s, {type(store).__name__}")
    assert (counted[META]["acked"], counted[META]["held"]) == (keys + 1, 100)
    assert counting.handed < 20
