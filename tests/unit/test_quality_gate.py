"""The gate as a whole: Great Expectations judges, and its answers are told apart. Slow to import: 3-7 s."""

from __future__ import annotations

import csv
import math
import re
import socket
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pycountry
import pytest

from tests.support.quality_rows import NOW, bands, due, good_row, sha256, window
from uploader.errors import ConfigurationError
from uploader.events import IDENTIFIERS
from uploader.quality import Due, Judged, Report, judge, write
from uploader.quality.currencies import ISO_4217
from uploader.quality.expectations import Expected, validate
from uploader.settings import QualitySettings

NAIVE = NOW.replace(tzinfo=None)
PERSON = "jane.canary@example.com"
# What each broken row breaks: the rule's name, and the columns that break it. Row n is the n-th.
BROKEN = {
    "Event id is present": {"event_id": " "},
    "Event id has at most 200 characters": {"event_id": "x" * 201},
    "Event name is present": {"event_name": None},
    "Action source is present": {"action_source": None},
    "Action source is known": {"action_source": PERSON},
    "Event time is present": {"event_at": None},
    "Event is not older than its destination accepts": {"expires_at": NAIVE - timedelta(microseconds=1)},
    "Value is present": {"value": None},
    "Value is not negative": {"value": Decimal("-0.0001")},
    "Currency is present": {"currency": None},
    "Currency is a code of ISO 4217": {"currency": PERSON},
    "Row is sendable and has no hold reason": {"hold_reason": "expired"},
    "No row leaves against a consent decision": {"consent_at_event": None},
    "No field leaves that a policy withholds": {"withheld_fields": " fbp client_ip "},
    **{f"{name} is a SHA-256 or empty": {name: PERSON} for name in IDENTIFIERS},
    **{f"{name} are SHA-256": {name: [sha256("a"), PERSON]} for name in ("email_sha256s", "phone_digits_sha256s")},
}
PERSONAL = {
    "client_ip": "203.0.113.77",
    "user_agent": "CanaryBrowser/1.0",
    "fbp": "fb.1.1700000000000.canary",
    "event_source_url": "https://shop.example/canary",
    "gclid": "canary-click",
}


def judged(rows_due, rows=None, history=(), **thresholds) -> Report:
    """Judge rows due; the window holds the same rows unless it is given."""
    rows = rows_due if rows is None else rows
    limits = QualitySettings(**thresholds)
    return judge(Due.gather([due(*rows_due)]), window(*rows), bands(*history), limits, judged_at=NOW)


def by_name(report: Report):
    """Return the checks by their names."""
    return {check.name: check for check in report.checks}


@pytest.fixture(scope="module")
def broken() -> Report:
    """Return the report on one good row, and one row per rule that breaks it."""
    rows = [{**good_row(n), **PERSONAL, **changed} for n, changed in enumerate(BROKEN.values(), 1)]
    return judged([good_row(0), *rows])


@pytest.fixture(scope="module")
def passing() -> Report:
    """Return the report on forty good rows."""
    return judged([good_row(n) for n in range(40)], history=[("EUR", 20.0, 40)])


def test_good_rows_pass_every_check(passing):
    """Each rule has judged each row, and nothing is unexpected."""
    assert passing.passed
    assert {(check.judged, check.unexpected, check.outcome) for check in passing.checks} == {(40, 0, "passed")}


@pytest.mark.parametrize(("number", "name"), enumerate(BROKEN, 1))
def test_each_rule_finds_the_row_that_breaks_it_and_names_it(broken, number, name):
    """One row of the batch breaks each rule, and the check shows its key."""
    check = by_name(broken)[name]
    assert (check.outcome, check.unexpected, check.examples) == ("failed", 1, (f"purchase.{number}",))
    assert not broken.passed


def test_only_booleans_and_codes_of_personal_columns_reach_the_files(broken, tmp_path):
    """Values that Great Expectations finds wrong are printed, so no file may hold a person's data."""
    write(broken, tmp_path, Judged({}, ""))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert len(files) == 8
    assert [word for word in ("canary", "Canary", "jane", "203.0.113", sha256("1")) if word in text] == []


def test_data_docs_ask_the_network_for_nothing(broken, tmp_path):
    """Opening a page must not tell other hosts who reads it; and they are readable without a network."""
    write(broken, tmp_path, Judged({}, ""))
    pages = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "data_docs").iterdir()}
    assert set(pages) == {"index.html", "rows_due.html", "shares_of_the_window.html"}
    for page in pages.values():
        assert re.findall(r"https?://|<script|<link|<img|\son\w+=|url\(|@import", page) == []
        assert "default-src 'none'" in page
    assert "Currency is a code of ISO 4217." in pages["rows_due.html"]
    assert "Repeated event ids in the window." in pages["shares_of_the_window.html"]


# Per share: the settings, rows that just reach the limit, and rows just above it.
def _of(count: int, marked: int, **changed):
    return [good_row(n, **(changed if n < marked else {})) for n in range(count)]


def _same(rows: int, repeated: int):
    same = {"external_id_sha256": sha256("c"), "event_at": NAIVE}
    return _of(rows, repeated + 1, **same)


LIMITS = {
    "Likely duplicate conversions": ({}, _same(20, 1), _same(20, 2)),
    "Repeated event ids in the window": (
        {"max_duplicate_event_id_rate": 0.1},
        _of(20, 3, event_id="x"),
        _of(20, 4, event_id="x"),
    ),
    "Events with no match key": (
        {},
        _of(10, 2, hold_reason="no_match_key"),
        _of(10, 3, hold_reason="no_match_key"),
    ),
    "Events that the pixel reported too, under another id or name": (
        {"max_pixel_duplicate_rate": 0.2},
        _of(10, 2, has_pixel_duplicate=True),
        _of(10, 3, has_pixel_duplicate=True),
    ),
    "Zero values": ({"max_zero_value_rate": 0.3}, _of(10, 3, value=Decimal(0)), _of(10, 4, value=Decimal(0))),
    "Values far from their currency's median": (
        {},
        _of(100, 1, value=Decimal(99999)),
        _of(100, 2, value=Decimal(99999)),
    ),
    "Event times more than a year ahead": (
        {},
        _of(10, 5, event_at=NAIVE + timedelta(days=400)),
        _of(10, 6, event_at=NAIVE + timedelta(days=400)),
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_share_passes_at_its_limit_and_fails_just_above(name):
    """The limit itself is allowed."""
    thresholds, at_limit, above = LIMITS[name]
    history = [("EUR", 20.0, 40)]
    outcomes = [by_name(judged([], rows, history, **thresholds))[name] for rows in (at_limit, above)]
    assert [check.outcome for check in outcomes] == ["passed", "failed"]
    assert outcomes[0].observed == outcomes[0].limit


def test_a_join_that_multiplies_rows_stops_the_batch():
    """No repeated event id may be due."""
    report = judged([good_row(1), good_row(1), good_row(2)], [good_row(1), good_row(2)])
    assert [check.column for check in report.having("failed")] == ["repeated_event_ids_due"]


def test_a_broken_check_is_told_apart_from_broken_data():
    """A column that is missing or has another type breaks the checks that need it, and no others."""
    rows = due(good_row(1)).drop("phone_digits_sha256").with_columns(city_sha256=pl.lit(7))
    report = judge(Due.gather([rows]), window(good_row(1)), bands(), QualitySettings(), judged_at=NOW)
    assert report.having("failed") == ()
    assert {check.column: check.detail for check in report.having("errored")} == {
        "events_without_match_key": 'unable to find column "phone_digits_sha256"',
        "withheld_fields_are_empty": 'unable to find column "phone_digits_sha256"',
        "phone_digits_sha256_is_hash": 'unable to find column "phone_digits_sha256"',
        "city_sha256_is_hash": "a column has an unexpected type: InvalidOperationError",
    }
    assert not report.passed
    assert "the check itself is broken, not the data" in report.message


def test_an_expectation_that_raises_has_errored_and_not_failed():
    """Great Expectations reports both as not successful."""
    frame = pl.DataFrame({"a": [1, 2]})
    kinds = [Expected("ExpectColumnMaxToBeBetween", name, name, (("max_value", 1),)) for name in ("a", "nope")]
    found, _ = validate("x", frame, kinds, NOW)
    assert [one.outcome for one in found] == ["failed", "errored"]
    assert "nope" in str(found[1].detail)


def test_an_empty_batch_passes_with_nothing_to_judge():
    """Nothing is due: no rule is broken, whatever stands in the window."""
    report = judged([], [])
    assert report.passed
    assert {check.observed for check in report.checks} == {None}


def test_values_that_are_no_numbers_fail():
    """A model whose value became a float can hold NaN and infinity."""
    values = pl.Series([25.0, math.nan, math.inf, -math.inf, None])
    rows = due(*(good_row(n) for n in range(5))).with_columns(value=values)
    report = by_name(judge(Due.gather([rows]), window(), bands(), QualitySettings(), judged_at=NOW))
    names = ("Value is present", "Value is a finite number", "Value is not negative")
    assert [report[name].unexpected for name in names] == [2, 3, 1]


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"consent_at_as_of": "denied"}, "failed"),
        ({"consent_at_as_of": "denied", "is_limited_data_use": True}, "passed"),
        ({"consent_regime": "opt_out", "consent_at_event": None, "consent_at_as_of": None}, "passed"),
        ({"consent_regime": "opt_out", "consent_at_event": "denied"}, "failed"),
        ({"consent_regime": None, "consent_at_event": None}, "failed"),
    ],
)
def test_no_row_leaves_against_a_consent_decision(changed, outcome):
    """Denied is denied, and where opting in is the rule, or no rule is known, silence is no consent."""
    report = by_name(judged([good_row(1, **changed)]))
    assert report["No row leaves against a consent decision"].outcome == outcome


def test_a_destination_that_is_switched_off_stops_nobody():
    """Its rows are all held; its shares must not hold back the others."""
    off = [good_row(n, destination="acme", hold_reason="no_match_key") for n in range(10)]
    off.append(good_row(10, destination="acme", hold_reason="destination_disabled"))
    assert judged([good_row(1)], [good_row(1), *off]).passed


def test_events_without_a_route_stop_nobody():
    """What was never meant to go to a destination says nothing about what goes there."""
    off = [good_row(n, hold_reason="not_routed", value=Decimal(0)) for n in range(10)]
    checks = by_name(judged([], [good_row(10), *off], max_zero_value_rate=0))
    assert (checks["Zero values"].judged, checks["Zero values"].outcome) == (1, "passed")


@pytest.mark.parametrize("column", ["value", "currency"])
def test_only_a_purchase_must_have_a_value(column):
    """Meta asks for value and currency with a Purchase alone (pixel reference, read 2026-09-12)."""
    rows = [good_row(1, **{column: None}), good_row(2, event_name="Lead", **{column: None})]
    report = judged(rows)
    assert [check.examples for check in report.having("failed")] == [("purchase.1",)]


def test_rows_without_a_name_cannot_be_judged():
    """Without these columns nothing can be said, so it is an error that names them."""
    with pytest.raises(ConfigurationError, match="lack destination"):
        Due.gather([due().drop("destination")])


def test_judging_and_writing_open_no_connection(monkeypatch, tmp_path):
    """Neither analytics nor pages reach for the network."""

    def refuse(*_arguments):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    write(judged([good_row(1)]), tmp_path, Judged({}, ""))


def test_importing_the_gate_does_not_import_great_expectations():
    """The other commands start fast."""
    heavy = "{'great_expectations', 'pandas', 'numpy'}"
    code = f"import sys, uploader.quality; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_currencies_are_those_of_iso_4217_in_which_a_price_can_be():
    """The gate's list equals the models' seed, and ISO 4217 without metals, funds of account and tests."""
    no_price = set("XAD XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split())  # noqa: SIM905 - readable
    assert set(ISO_4217) == {currency.alpha_3 for currency in pycountry.currencies} - no_price
    with Path("seeds/currencies.csv").open(encoding="utf-8") as seed:
        assert sorted(ISO_4217) == sorted(row["currency"] for row in csv.DictReader(seed))
