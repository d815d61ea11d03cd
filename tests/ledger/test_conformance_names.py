"""Both kinds of sent log take any name and id for what it is: a text, never a part of a query."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.at_once import changes_since
from tests.support.delivering import NOW
from tests.support.proof import size
from tests.support.two_kinds import AT, LONG_AGO, META, Log, events, keys, send
from uploader.errors import QualityGateFailed
from uploader.ledger import Intent, Ledger, State, reading, summary

NASTY = [
    "o'brien",
    'say "hi"',
    "a;b -- c /* d */",
    "x'); drop table batch; --",
    "' or '1'='1",
    "%(event_id)s",
    "%s %d %%",
    ":event_id",
    "?1",
    "$1",
    "{0}",
    "\\",
    "\\x41",
    "null",
    "NULL",
    "tab\tline\r\nend",
    "purchase.1",
    "Purchase.1",
    "purchase.1 ",
    " purchase.1",
    "é",
    "e\u0301",
    "ß",
    "SS",
    "ı",
    "İ",
    "注文一",
    "שלום",
    "😀" * 100,
    "x" * 100,
    "\u202e\u200b\ufeff\uffff",
    "\x01\x1f\x7f",
    "1",
    "01",
    "1.0",
    "1e0",
]


def test_every_name_is_kept_apart_from_every_other(log: Log) -> None:
    """Quotes, SQL, marks of the drivers, blanks, letters that look alike: none is another, none is lost."""
    with log.open() as ledger:
        batch = send(ledger, *NASTY)
        for text in NASTY:
            assert reading.payload_hashes(ledger, META, [text])["event_id"].to_list() == [text]
        ledger.settle(batch, State.ACKED)
        for text in NASTY:
            ledger.judge(META, keys(text, reason=f"why {text}", name=text), State.HELD, f"by {text}")
    with log.reader() as ledger:
        found = reading.states_of(ledger, META, NASTY)
        sent = found.filter(pl.col("event_name") == "Purchase")
        assert sorted(sent["event_id"]) == sorted(NASTY)
        judged = found.filter(pl.col("event_name") != "Purchase").select("event_name", "event_id", "reason").rows()
        assert sorted(judged) == sorted((text, text, f"why {text}") for text in NASTY)
        for text in NASTY:
            assert [entry["by"] for entry in reading.history(ledger, text)] == ["run", f"by {text}"], text
            wanted = summary.Wanted(event_ids=[text], reasons=[f"why {text}"])
            assert summary.keys_in(ledger, META, State.HELD, wanted)["event_id"].to_list() == [text]


def test_a_destination_a_run_and_a_field_may_be_called_anything(log: Log) -> None:
    """They are values as well."""
    with log.open("run '; drop table meta; --") as ledger:
        for text in NASTY:
            batch = ledger.intend(Intent(text, events("a"), [text, "b"], AT))
            ledger.settle(batch, State.DEAD, text, text)
            ledger.log_decision(text, text, text)
        assert sorted(ledger.destinations()) == sorted(NASTY)
        assert [row[1:] for row in ledger.decisions()] == [(text, text, text) for text in NASTY]
        for text in NASTY:
            assert reading.states_of(ledger, text, ["a"]).select("state", "reason").rows() == [("dead", text)]
        fields = [json.loads(entry["paths"]) for entry in reading.history(ledger, "a")]
        assert sorted(fields) == sorted([text, "b"] for text in NASTY)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=100)


def test_any_text_comes_back_as_it_was(log: Log) -> None:
    """Whatever Unicode has, except NUL, which is no part of a text for many programs."""
    with log.open() as ledger:

        @settings(max_examples=size(40, 1000), deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(texts, min_size=1, max_size=5, unique=True), texts, texts)
        def comes_back(ids: list[str], name: str, reason: str) -> None:
            send(ledger, *ids, name=name, state=State.RELEASED, code=reason)
            found = reading.states_of(ledger, META, ids).filter(pl.col("event_name") == name)
            assert sorted(found.select("event_id", "reason").rows()) == sorted((key, reason) for key in ids)

        comes_back()


@pytest.mark.parametrize("column", ["event_id", "event_name"])
def test_nul_is_refused_before_anything_is_sent(log: Log, column: str) -> None:
    """PostgreSQL cannot keep it, and SQLite would look for the part before it: exit 65, nothing is written."""
    with log.open() as ledger:
        before = log.content()
        with pytest.raises(QualityGateFailed, match="NUL"):
            ledger.intend(Intent(META, events("a", "b").with_columns(pl.lit("a\0b").alias(column)), ["p"], AT))
        assert log.content() == before


def test_two_thousand_keys_fit_into_one_batch(log: Log) -> None:
    """And into one question, and into one verdict."""
    ids = [f"purchase.{number}" for number in range(2_000)]
    with log.open() as ledger:
        batch = send(ledger, *ids)
        assert reading.in_doubt(ledger, META).height == reading.payload_hashes(ledger, META, ids).height == 2_000
        ledger.settle(batch, State.RELEASED, "4")
        mark = ledger.high_water
        ledger.judge(META, keys(*ids, reason="expired"), State.EXPIRED)
        assert ledger.high_water == mark + 2_000
        _count(ledger, ids)
    with log.reader() as ledger:
        _count(ledger, ids)


def _count(ledger: Ledger, ids: list[str]) -> None:
    found = reading.states_of(ledger, META, ids)
    assert found.select("event_id", "state").sort("event_id").rows() == sorted((key, "expired") for key in ids)
    assert reading.states(ledger, META, NOW.replace(year=2020)).height == 2_000
    assert reading.states(ledger, META, LONG_AGO).height == 2_000
    assert summary.counts(ledger)[META]["expired"] == 2_000
    assert changes_since(ledger, 0).height == 2_000
