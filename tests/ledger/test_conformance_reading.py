"""What both kinds of sent log say alike of what was written into them; every expectation is worked out by hand."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import polars as pl

from tests.support.at_once import changes_since
from tests.support.delivering import NOW
from tests.support.two_kinds import AT, LONG_AGO, META, Log, events, keys, send
from uploader.clock import microseconds
from uploader.ledger import QUARANTINE, Intent, Ledger, State, reading, summary
from uploader.ledger.lookup import batch_spans


def standing(ledger: Ledger, key: str) -> tuple[object, ...]:
    """Return state, reason, first try (hours after the beginning), batch and quarantines of a key."""
    (row,) = reading.states_of(ledger, META, [key]).to_dicts()
    first = row["first_intent_at"]
    hours = None if first is None else (first - microseconds(NOW)) / 3_600_000_000
    return (row["state"], row["reason"], hours, row["batch_id"], row["quarantines"])


def test_the_life_of_a_key(log: Log) -> None:
    """Refused, in doubt, sent again, held, given free, taken: each word of the log, and the first try never moves.

    Longer than usual because it is one story.
    """
    with log.open("run 1") as ledger:
        send(ledger, "a", "b", state=State.RELEASED, code="4")
        assert standing(ledger, "a") == ("released", "4", 0, 1, 0)
        log.clock.forward(hours=1)
        send(ledger, "a")
        # What was provably not taken is as good as new, so this is the first try that counts.
        assert standing(ledger, "a") == ("intent", None, 1, 2, 0)
        log.clock.forward(hours=1)
        send(ledger, "a", first=NOW + timedelta(hours=1))
        assert standing(ledger, "a") == ("intent", None, 1, 3, 0)
        log.clock.forward(hours=48)
        ledger.judge(META, keys("a", reason="past_dedup_window", was_in_doubt=True), State.HELD)
        assert standing(ledger, "a") == ("held", "past_dedup_window", 1, 3, 0)
        log.clock.forward(hours=1)
        ledger.judge(META, keys("a", reason="not in their report"), State.RELEASED, "ada")
        assert standing(ledger, "a") == ("released", "not in their report", 1, 3, 0)
        log.clock.forward(hours=1)
        batch = send(ledger, "a")
        assert standing(ledger, "a") == ("intent", None, 52, 4, 0)
        ledger.settle(batch, State.ACKED, None, "trace 4")
    with log.reader() as ledger:
        assert standing(ledger, "a") == ("acked", None, 52, 4, 0)
        assert standing(ledger, "b") == ("released", "4", 0, 1, 0)
        story = [
            (entry["state"], (entry["at"].replace(tzinfo=NOW.tzinfo) - NOW) / timedelta(hours=1), entry["by"])
            for entry in reading.history(ledger, "a")
        ]
        assert story == [
            ("released", 0, "run 1"),
            ("intent", 1, "run 1"),
            ("intent", 2, "run 1"),
            ("held", 50, "run 1"),
            ("released", 51, "ada"),
            ("acked", 52, "run 1"),
        ]


def test_every_state_is_told(log: Log) -> None:
    """From a batch's own outcome, and from a verdict without any batch."""
    with log.open() as ledger:
        for state in (State.RELEASED, State.ACKED, State.DEAD):
            send(ledger, f"batch {state}", state=state, code=f"code {state}")
        send(ledger, "batch intent")
        for state in (State.RELEASED, State.ACKED, State.DEAD, State.EXPIRED, State.HELD, State.SUPPRESSED):
            ledger.judge(META, keys(f"verdict {state}", reason=f"why {state}"), state)
    assert log.states() == {
        "batch released": ("released", "code released"),
        "batch acked": ("acked", "code acked"),
        "batch dead": ("dead", "code dead"),
        "batch intent": ("intent", None),
        "verdict released": ("released", "why released"),
        "verdict acked": ("acked", "why acked"),
        "verdict dead": ("dead", "why dead"),
        "verdict expired": ("expired", "why expired"),
        "verdict held": ("held", "why held"),
        "verdict suppressed": ("suppressed", "why suppressed"),
    }
    with log.reader() as ledger:
        assert summary.counts(ledger) == {
            META: {"intent": 1, "released": 2, "acked": 2, "dead": 2, "expired": 1, "held": 1, "suppressed": 1}
        }


def test_a_verdict_counts_from_the_last_batch_on(log: Log) -> None:
    """An outcome that is recorded after it does not undo it; a new batch does. The latest of two verdicts counts."""
    with log.open() as ledger:
        batch = send(ledger, "a", "b")
        ledger.judge(META, keys("a", reason="first"), State.SUPPRESSED)
        ledger.settle(batch, State.ACKED)
        assert log.states() == {"a": ("suppressed", "first"), "b": ("acked", None)}
        ledger.judge(META, keys("a", reason="second"), State.HELD)
        assert log.states("a") == {"a": ("held", "second")}
        send(ledger, "a")
        assert log.states("a") == {"a": ("intent", None)}


def test_a_key_in_quarantine_says_when_and_how_often(log: Log) -> None:
    """The moment is the latest verdict's; how often is counted for good."""
    first, second = NOW + timedelta(minutes=15), NOW + timedelta(minutes=45)
    with log.open() as ledger:
        send(ledger, "a", "b", state=State.RELEASED, code="100")
        for until, ids in ((first, ["a", "b"]), (second, ["a"])):
            ledger.judge(META, keys(*ids, reason=QUARANTINE, not_before=microseconds(until)), State.RELEASED)
        found = reading.states(ledger, META, LONG_AGO).sort("event_id")
        assert found.select("event_id", "state", "reason", "not_before", "quarantines").rows() == [
            ("a", "released", QUARANTINE, microseconds(second), 2),
            ("b", "released", QUARANTINE, microseconds(first), 1),
        ]
        send(ledger, "a", state=State.ACKED)
        found = reading.states_of(ledger, META, ["a"])
        assert found.select("state", "reason", "not_before", "quarantines").rows() == [("acked", None, None, 2)]


def test_the_same_id_is_another_key_under_another_name_or_destination(log: Log) -> None:
    """A key is all three of them."""
    with log.open() as ledger:
        send(ledger, "a", state=State.ACKED)
        send(ledger, "a", name="Lead", state=State.DEAD, code="9")
        batch = ledger.intend(Intent("meta:42#test", events("a"), ["p"], AT))
        ledger.settle(batch, State.RELEASED, "4")
        ledger.judge("meta:43", keys("a", reason="expired"), State.EXPIRED)
        named = {
            destination_id: sorted(
                reading.states_of(ledger, destination_id, ["a"]).select("event_name", "state").rows()
            )
            for destination_id in ("meta:42", "meta:42#test", "meta:43", "meta:4")
        }
        assert named == {
            "meta:42": [("Lead", "dead"), ("Purchase", "acked")],
            "meta:42#test": [("Purchase", "released")],
            "meta:43": [("Purchase", "expired")],
            "meta:4": [],
        }
        assert ledger.destinations() == ["meta:42", "meta:42#test", "meta:43"]
        assert [reading.has_acked(ledger, name) for name in ledger.destinations()] == [True, False, False]


def test_the_window_leaves_old_events_out(log: Log) -> None:
    """By the event's own time, its end included; a key that is asked for by its id is found however old."""
    young, old = AT, AT - timedelta(days=8)
    with log.open() as ledger:
        send(ledger, "old", at=old, state=State.ACKED)
        send(ledger, "young", at=young, state=State.ACKED)
        ledger.judge(META, keys("old verdict", reason="expired", at=old), State.EXPIRED)
        ledger.judge(META, keys("young verdict", reason="expired", at=young), State.EXPIRED)
        ledger.judge(META, keys("timeless verdict", reason="row_gone", at=None), State.HELD)
        ledger.judge(META, keys("young", reason="asked", at=old), State.RELEASED)
        found = reading.states(ledger, META, young)
        assert sorted(found.select("event_id", "state").rows()) == [
            ("timeless verdict", "held"),
            ("young", "released"),
            ("young verdict", "expired"),
        ]
        later = reading.states(ledger, META, young + timedelta(microseconds=1))
        assert later["event_id"].to_list() == ["timeless verdict"]
        assert reading.states_of(ledger, META, ["old", "nobody"])["event_id"].to_list() == ["old"]


def test_only_what_may_have_been_sent_is_in_doubt(log: Log) -> None:
    """However old it is; not what was answered, judged, or sent again and answered since."""
    with log.open() as ledger:
        send(ledger, "lost", "judged", "again", at=AT - timedelta(days=300))
        send(ledger, "answered", state=State.ACKED)
        ledger.judge(META, keys("judged", reason="past_dedup_window"), State.HELD)
        send(ledger, "again", first=NOW, state=State.ACKED)
        ledger.intend(Intent("meta:43", events("elsewhere"), ["p"], AT))
        assert reading.in_doubt(ledger, META)["event_id"].to_list() == ["lost"]


def test_what_changed_after_a_mark(log: Log) -> None:
    """Each key once, with the state it ended in and the time of its latest change."""
    with log.open() as ledger:
        send(ledger, "before", state=State.ACKED)
        in_doubt = send(ledger, "settled")
        mark = ledger.high_water
        log.clock.forward(minutes=1)
        ledger.settle(in_doubt, State.ACKED)
        log.clock.forward(minutes=1)
        send(ledger, "twice", "once", state=State.RELEASED, code="4")
        log.clock.forward(minutes=1)
        ledger.judge(META, keys("twice", reason="expired"), State.EXPIRED)
        ledger.judge("meta:43", keys("elsewhere", reason="r"), State.HELD)
        changes = changes_since(ledger, mark)
        minutes = ((pl.col("updated_at") - microseconds(NOW)) / 60_000_000).alias("minutes")
        found = changes.select("destination_id", "event_id", "state", "reason", minutes).sort("minutes", "event_id")
        assert found.rows() == [
            (META, "settled", "acked", None, 1),
            (META, "once", "released", "4", 2),
            ("meta:43", "elsewhere", "held", "r", 3),
            (META, "twice", "expired", "expired", 3),
        ]
        assert changes_since(ledger, ledger.high_water).is_empty()


def test_a_verdict_on_what_was_taken_stands_however_old_it_is(log: Log) -> None:
    """An answer that came after a verdict, and a person's decision about what was taken, before and after the mark."""
    with log.open() as ledger:
        in_doubt = send(ledger, "held")
        send(ledger, "asked", "plain", state=State.ACKED)
        ledger.judge(META, keys("held", reason="past_dedup_window"), State.HELD)
        mark = ledger.high_water
        ledger.settle(in_doubt, State.ACKED)
        assert changes_since(ledger, mark).select("event_id", "state").rows() == [("held", "held")]
        ledger.judge(META, keys("asked", reason="asked"), State.RELEASED)
        found = changes_since(ledger, 0).select("event_id", "state", "reason").sort("event_id").rows()
        assert found == [
            ("asked", "released", "asked"),
            ("held", "held", "past_dedup_window"),
            ("plain", "acked", None),
        ]


def test_the_story_of_a_key_names_the_fields_that_left(log: Log) -> None:
    """By the names that counted when it was sent, whatever they are now; a verdict sent no fields."""
    with log.open() as ledger:
        ledger.intend(Intent(META, events("a"), ["event_id", "value", "currency"], AT))
        log.clock.forward(hours=1)
        ledger.intend(Intent(META, events("a"), ["new", "event_id", "value"], AT))
        log.clock.forward(hours=1)
        ledger.judge(META, keys("a", reason="r"), State.HELD)
        story = reading.history(ledger, "a")
        assert reading.history(ledger, "nobody") == []
    assert [json.loads(entry["paths"])[0] if entry["paths"] else None for entry in story] == ["event_id", "new", None]
    named = [reading.field_names(entry["paths"], entry["fields"]) for entry in story[:2]]
    assert named == [["event_id", "currency"], ["new", "value"]]
    assert story[0]["settled_at"] is None
    assert story[2]["at"] == story[2]["settled_at"] == datetime(2026, 11, 20, 16)


def test_what_waits_for_a_person_is_summed_up(log: Log) -> None:
    """By state and reason, the oldest first, with the platform's name for the request."""
    with log.open() as ledger:
        for number in range(7):
            send(ledger, f"k{number}", at=AT - timedelta(hours=number), state=State.DEAD, code="100")
        ledger.judge(META, keys("h1", "h2", reason="row_gone"), State.HELD)
        send(ledger, "fine", state=State.ACKED)
        found = {(group.state, group.reason): group for group in summary.groups(ledger, META)}
        assert {key: group.rows for key, group in found.items()} == {
            ("acked", None): 1,
            ("dead", "100"): 7,
            ("held", "row_gone"): 2,
        }
        assert found["dead", "100"].examples == ("k6", "k5", "k4", "k3", "k2")
        assert found["dead", "100"].oldest_event_at == AT - timedelta(hours=6)
        assert found["dead", "100"].trace_ids == ("trace",)
        listed = summary.keys_in(ledger, META, State.HELD, summary.Wanted(event_ids=["h2", "k1"]))
        assert listed.select("event_id", "reason", "event_at").rows() == [("h2", "row_gone", microseconds(AT))]
        listed = summary.keys_in(ledger, META, State.DEAD, summary.Wanted(reasons=["100"]), limit=2)
        assert listed["event_id"].to_list() == ["k6", "k5"]


def test_many_keys_have_the_states_that_each_of_them_has(log: Log) -> None:
    """Found by the window of their times or looked up one by one: the same, also for those whose time was changed.

    Longer than usual because every kind of key is among the many.
    """
    plenty = [f"plenty.{number}" for number in range(10_000)]
    with log.open("run 1") as ledger:
        send(ledger, *plenty, state=State.ACKED)
        send(ledger, "lost")
        # Sent when its time was another one, long before the window; then a second try inside of it.
        moved = events("moved", "twice").with_columns(event_at=pl.lit(microseconds(LONG_AGO)))
        ledger.settle(ledger.intend(Intent(META, moved, ["event_id"], AT)), State.RELEASED, "4")
        send(ledger, "twice", state=State.ACKED)
        timeless = keys("timeless", reason="row_gone", was_in_doubt=True).with_columns(event_at=pl.lit(None, pl.Int64))
        ledger.judge(META, timeless, State.HELD)
    asked = [*plenty, "lost", "moved", "twice", "timeless", "unknown"]
    with log.reader() as ledger:
        wanted = events(*asked).select("event_name", "event_id", "event_at")
        found = reading.states_for(ledger, META, wanted).sort("event_id")
        assert found.equals(reading.states_of(ledger, META, asked).sort("event_id"))
        ended = dict(found.filter(~pl.col("event_id").is_in(plenty)).select("event_id", "state").rows())
    assert ended == {"lost": "intent", "moved": "released", "twice": "acked", "timeless": "held"}
    assert found.filter(pl.col("event_id").is_in(plenty))["state"].to_list() == ["acked"] * len(plenty)


def test_a_batch_is_told_by_its_earliest_and_its_latest_event(log: Log) -> None:
    """A window that lies between the two must look into it; what is older than all of it need not."""
    old, young = AT - timedelta(days=3), AT - timedelta(days=1)
    with log.open("run 1") as ledger:
        both = pl.concat([events("a", at=young), events("b", at=old)])
        batch = ledger.intend(Intent(META, both, ["event_id"], NOW))
        spans = batch_spans(ledger, META, LONG_AGO)
        assert spans.rows() == [(batch, microseconds(young), microseconds(old))]
        found = reading.states(ledger, META, old, old, spans)
        assert found["event_id"].to_list() == ["b"]
        assert reading.states(ledger, META, LONG_AGO, old - timedelta(hours=1), spans).is_empty()
