"""What the sent log amounts to: counted by the database, on either engine, and told to people and programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.delivering import NOW, Clock
from tests.support.sent_logs import ENGINES, META, age, dead, held, judged, place, sent
from tests.support.shop import Shop, opened, orders
from uploader.ledger import Breaker, Ledger, State, Store, guarded, summary
from uploader.ledger.summary import Wanted


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """The place of a sent log."""
    return place(request.param, request, tmp_path)


@pytest.fixture
def ledger(store: Store) -> Iterator[Ledger]:
    """An empty sent log, open."""
    with guarded(store, Clock(), "run", None) as opened_ledger:
        yield opened_ledger


@pytest.fixture
def shop(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shop]:
    """A shop that sold three things."""
    with opened(tmp_path, monkeypatch, capsys) as it:
        it.sells(*orders(3))
        yield it


@contextmanager
def writing(store: Store) -> Iterator[Ledger]:
    """Write to the sent log of a shop."""
    with guarded(store, Clock(), "run", None) as opened_ledger:
        yield opened_ledger


# ---------------------------------------------------------------- counting


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


_KEYS = st.sets(st.sampled_from("abcdef"), min_size=1)
_STEPS = st.lists(
    st.tuples(_KEYS, st.sampled_from(["intent", "acked", "released", "dead", "held", "suppressed", "requeued"])),
    max_size=12,
)


def live(ledger: Ledger, destination_id: str, steps: list[tuple[set[str], str]]) -> dict[str, str]:
    """Lead keys through their lives as runs and people do; return the state in which each of them ends."""
    ended: dict[str, str] = {}
    for keys, what in steps:
        if what == "requeued":
            chosen = sorted(key for key in keys if ended.get(key) in ("dead", "held", "acked"))
            into = "released"
        elif what in ("held", "suppressed"):
            chosen, into = sorted(key for key in keys if ended.get(key) in (None, "intent", "released")), what
        else:
            chosen, into = sorted(key for key in keys if ended.get(key) in (None, "intent", "released")), what
        if not chosen:
            continue
        if what in ("requeued", "held", "suppressed"):
            frame = [{"event_name": "Purchase", "event_id": key, "event_at": 1, "reason": what} for key in chosen]
            ledger.judge(destination_id, summary.pl.DataFrame(frame).with_columns(was_in_doubt=False), State(into))
        else:
            batch = sent(ledger, chosen, destination_id=destination_id)
            if what != "intent":
                ledger.settle(batch, State(what), "code")
        ended |= dict.fromkeys(chosen, into)
    return ended
