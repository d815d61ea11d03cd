"""What both kinds of sent log promise alike: what is written, who may write, and what is noticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.support.two_kinds import AT, META, Log, events, keys, send
from uploader.clock import microseconds
from uploader.errors import LedgerRegression, TryLater, UploaderError
from uploader.ledger import Breaker, Intent, Ledger, State, guarded, reading

# ------------------------------------------------------------------ what is written


def test_an_intent_is_there_for_others_before_anything_is_sent(log: Log) -> None:
    """A second connection reads it while the first one is still open."""
    with log.open() as ledger:
        batch = send(ledger, "a", "b")
        with log.connection() as other:
            rows = other.rows("select state, events, run_id, intent_at, settled_at, code from batch", {})
    assert batch == 1
    assert rows == [("intent", 2, "run", microseconds(log.clock()), None, None)]


def test_an_outcome_is_there_for_others_at_once(log: Log) -> None:
    """With its time, its code and the platform's own name for the request."""
    with log.open() as ledger:
        batch = send(ledger, "a")
        log.clock.forward(seconds=3)
        ledger.settle(batch, State.DEAD, "100/2804050", "Atrace")
        with log.connection() as other:
            rows = other.rows("select state, code, trace_id, settled_at from batch", {})
    assert rows == [("dead", "100/2804050", "Atrace", microseconds(log.clock()))]


def test_everything_of_an_event_is_kept_as_it_was(log: Log) -> None:
    """Bytes, a bitmap with its highest bit, and times to the microsecond."""
    at, consent = AT.replace(microsecond=123_457), AT - timedelta(microseconds=1)
    frame = events("a", at=at, payload=bytes(range(240, 256))).with_columns(
        consent_at=pl.lit(microseconds(consent)), fields=pl.lit(2**62 + 1)
    )
    with log.open() as ledger:
        ledger.intend(Intent(META, frame, ["p"], AT))
    content = log.content()["batch_event"]
    now = microseconds(log.clock())
    assert [(*row[:6], bytes(row[6]), row[7]) for row in content] == [
        (1, "Purchase", "a", microseconds(at), now, microseconds(consent), bytes(range(240, 256)), 2**62 + 1)
    ]


def test_what_a_destination_asked_for_is_remembered(log: Log) -> None:
    """The watch, the pause and the breaker, each by destination, and a pause can be taken back."""
    later = AT + timedelta(hours=1, microseconds=1)
    with log.open() as ledger:
        ledger.watch(META, AT)
        ledger.pause(META, later)
        ledger.record_breaker(META, Breaker(5, later))
    with log.reader() as ledger:
        assert (ledger.watched_from(META), ledger.paused_until(META)) == (AT, later)
        assert ledger.breaker(META) == Breaker(5, later)
        assert (ledger.watched_from("other"), ledger.paused_until("other")) == (None, None)
        assert ledger.breaker("other") == Breaker()
        assert ledger.destinations() == [META]
    with log.open() as ledger:
        ledger.pause(META, None)
        ledger.record_breaker(META, Breaker())
    with log.reader() as ledger:
        assert (ledger.paused_until(META), ledger.breaker(META), ledger.watched_from(META)) == (None, Breaker(), AT)


def test_decisions_of_people_are_kept_in_their_order(log: Log) -> None:
    """When, who, the command, the detail."""
    with log.open() as ledger:
        ledger.log_decision("ada", "resolve", '2 keys as sent; it\'s "done" %s')
        log.clock.forward(days=1)
        ledger.log_decision("bob", "requeue", "1 key")
    with log.reader() as ledger:
        assert ledger.decisions() == [
            (log.clock() - timedelta(days=1), "ada", "resolve", '2 keys as sent; it\'s "done" %s'),
            (log.clock(), "bob", "requeue", "1 key"),
        ]


def test_a_decision_carries_who_decided(log: Log) -> None:
    """A run's own verdicts carry the run's id."""
    with log.open("run 7") as ledger:
        ledger.judge(META, keys("a", reason="expired"), State.EXPIRED)
        ledger.judge(META, keys("b", reason="asked", was_in_doubt=True), State.ACKED, "ada")
        ledger.judge(META, keys(reason="nothing"), State.HELD)
    rows = [(row[3], row[6], row[8], row[10]) for row in log.content()["verdict"]]
    assert rows == [("a", "expired", 0, "run 7"), ("b", "acked", 1, "ada")]


# ------------------------------------------------------------------ all or nothing


def _spoilt() -> pl.DataFrame:
    """Two events, of which the second cannot be written: it has no id."""
    return events("c", "d").with_columns(event_id=pl.Series(["c", None]))


def test_a_batch_that_cannot_be_written_leaves_nothing(log: Log) -> None:
    """Neither rows, nor a new destination, nor a higher mark; and the log goes on."""
    with log.open() as ledger:
        send(ledger, "a", state=State.ACKED)
        before, mark = log.content(), ledger.high_water
        with pytest.raises(UploaderError):
            ledger.intend(Intent("meta:43", _spoilt(), ["new"], AT))
        with pytest.raises(UploaderError):
            ledger.judge("meta:43", _spoilt().with_columns(reason=pl.lit("r"), was_in_doubt=pl.lit(0)), State.HELD)
        assert (log.content(), ledger.high_water) == (before, mark)
        send(ledger, "b", state=State.ACKED)
        assert ledger.high_water == mark + 2
    assert log.states() == {"a": ("acked", None), "b": ("acked", None)}


def _change_and_fail(ledger: Ledger) -> None:
    with ledger.store.transaction():
        ledger.store.execute("update meta set value = 'x'", {})
        raise ZeroDivisionError


def test_an_error_inside_a_transaction_undoes_all_of_it(log: Log) -> None:
    """Whatever the error is; what was there before stays."""
    with log.open() as ledger:
        before = log.content()
        with pytest.raises(ZeroDivisionError):
            _change_and_fail(ledger)
        assert log.content() == before
        send(ledger, "a")


# ------------------------------------------------------------------ one writer


def test_the_mark_rises_by_one_with_each_change(log: Log) -> None:
    """An intent, an outcome, and each key of a verdict; what a destination asked for is no change."""
    marks = []
    with log.open() as ledger:
        batch = send(ledger, "a", "b")
        marks.append(ledger.high_water)
        ledger.settle(batch, State.RELEASED)
        marks.append(ledger.high_water)
        ledger.judge(META, keys("a", "b", reason="r"), State.HELD)
        marks.append(ledger.high_water)
        ledger.pause(META, AT)
        marks.append(ledger.high_water)
    with log.open() as ledger:
        assert (marks, ledger.high_water) == ([1, 2, 4, 4], 4)


def test_a_run_that_does_not_know_the_latest_change_is_refused(log: Log) -> None:
    """Two that believe to be alone: the second to write stops, whatever it wants to write."""
    with log.open("first") as first, log.open("second") as second:
        batch = send(second, "b")
        for write in (
            lambda: send(first, "a"),
            lambda: first.judge(META, keys("a", reason="r"), State.HELD),
            lambda: first.settle(batch, State.ACKED),
            lambda: first.pause(META, AT),
            lambda: first.log_decision("ada", "resolve", "all"),
        ):
            with pytest.raises(TryLater, match="Another run has written to the sent log"):
                write()
        second.settle(batch, State.ACKED)
    assert log.states() == {"b": ("acked", None)}
    assert log.content()["decision"] == []


def test_only_one_run_holds_the_lock(log: Log) -> None:
    """The other one is told who does, since when, and that it may try again; then it can have it."""
    with (
        log.open(locked=True) as ledger,
        pytest.raises(TryLater, match=r"pid \d+ on \S+ since 2026-11-20T14:00:00Z") as caught,
        log.open(locked=True),
    ):
        pass
    assert caught.value.exit_code == 75
    del ledger
    for _ in range(20):
        with log.open(locked=True) as ledger:
            send(ledger, "a", state=State.ACKED)


def test_the_lock_is_free_after_an_error(log: Log) -> None:
    """Also after one in the middle of a transaction."""
    with pytest.raises(ZeroDivisionError), log.open(locked=True) as ledger, ledger.store.transaction():
        raise ZeroDivisionError
    with log.open(locked=True):
        pass


# ------------------------------------------------------------------ the clock


def test_a_clock_that_is_behind_the_log_is_refused(log: Log) -> None:
    """Up to five minutes are a correction; more means that no age can be judged."""
    with log.open() as ledger:
        send(ledger, "a", state=State.ACKED)
    log.clock.forward(minutes=-5)
    with log.open() as ledger:
        send(ledger, "b", state=State.ACKED)
    log.clock.forward(seconds=-1)
    before = log.content()
    with pytest.raises(TryLater, match=r"last written at 2026-11-20 14:00:00 UTC"), log.open():
        pass
    assert log.content() == before


def test_times_far_away_are_kept(log: Log) -> None:
    """Before 1970 and after 2100; microseconds do not run over."""
    old, new = datetime(1905, 3, 1, 4, 5, 6, 7, UTC), datetime(2150, 1, 1, 0, 0, 0, 1, UTC)
    with log.open() as ledger:
        send(ledger, "old", at=old, first=old)
        ledger.watch(META, old)
        log.clock.now = new
        send(ledger, "new", at=new, first=old)
        ledger.pause(META, new)
    with log.reader() as ledger:
        found = reading.states(ledger, META, datetime(1900, 1, 1, tzinfo=UTC)).sort("event_id")
        assert (ledger.watched_from(META), ledger.paused_until(META)) == (old, new)
        assert [entry["at"] for entry in reading.history(ledger, "new")] == [new.replace(tzinfo=None)]
    assert found.select("event_id", "first_intent_at").rows() == [
        ("new", microseconds(old)),
        ("old", microseconds(old)),
    ]


def test_nothing_can_be_asked_of_a_log_that_has_no_identity(log: Log) -> None:
    """Its rows may be of another log."""
    with log.open():
        pass
    with log.connection() as store:
        store.execute("delete from meta where key = 'ledger_id'", {})
    with pytest.raises(LedgerRegression, match="no identity"), log.open():
        pass
    with pytest.raises(LedgerRegression, match="no identity"):
        Ledger(log.new_store(), log.clock, "reader", read_only=True)
    with pytest.raises(LedgerRegression), guarded(log.new_store(), log.clock, "run", None):
        pass
