"""The gate's shares, counted by hand. Great Expectations is not needed for this."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest

from tests.support.quality_rows import NOW, bands, due, good_row, sha256, window
from uploader.quality.shares import SHARE_RULES, Batch, Measure, measure
from uploader.settings import QualitySettings

RULES = {rule.column: rule for rule in SHARE_RULES}
NAIVE = NOW.replace(tzinfo=None)


def measured(column: str, rows=(), *, rows_due=(), history=(), **thresholds) -> Measure:
    """Measure one share of a batch."""
    batch = Batch(due(*rows_due), window(*rows), bands(*history), QualitySettings(**thresholds), NAIVE)
    return measure(RULES[column], batch)


def counted(found: Measure) -> tuple[int, int]:
    """Return (unexpected, judged)."""
    return found.unexpected, found.judged


def same_customer(number: int, minutes: float, **changed):
    """Return an order of the one customer, so many minutes after noon."""
    at = NAIVE + timedelta(minutes=minutes)
    return good_row(number, external_id_sha256=sha256("c"), event_at=at, **changed)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [([0, 10], (1, 2)), ([0, 10.001], (0, 2)), ([0, 8, 16], (2, 3)), ([0, 0], (1, 2)), ([30, 0, 5], (1, 3))],
)
def test_a_likely_duplicate_follows_within_the_minutes(minutes, expected):
    """A later row counts up to the limit included, measured from the row before it, in any order of rows."""
    rows = [same_customer(number, minute) for number, minute in enumerate(minutes)]
    assert expected == counted(measured("likely_duplicates", rows, duplicate_window_minutes=10))


@pytest.mark.parametrize(
    "other",
    [
        {"external_id_sha256": sha256("somebody else")},
        {"value": Decimal("25.01")},
        {"currency": "USD"},
        {"event_name": "Subscribe"},
        {"destination": "acme"},
    ],
)
def test_a_likely_duplicate_has_the_same_customer_value_currency_and_event(other):
    """Rows that differ in one of them, or go to another destination, are no duplicates of each other."""
    rows = [same_customer(1, 0), {**same_customer(2, 1), **other}]
    assert measured("likely_duplicates", rows).unexpected == 0


@pytest.mark.parametrize("unknown", ["external_id_sha256", "value", "currency", "event_at"])
def test_rows_that_cannot_be_compared_are_not_judged_as_duplicates(unknown):
    """Two orders without a customer are not two orders of one customer."""
    rows = [{**same_customer(number, 0), unknown: None} for number in (1, 2)]
    assert counted(measured("likely_duplicates", rows)) == (0, 0)


def test_what_people_repeat_is_no_likely_duplicate():
    """Who looks at a product twice within a minute has not bought it twice."""
    rows = [same_customer(number, 0, event_name="ViewContent") for number in range(3)]
    assert counted(measured("likely_duplicates", rows)) == (0, 0)


def test_held_rows_count_as_likely_duplicates_but_not_those_held_as_duplicates():
    """A cancelled order shows a shop that writes twice; a row held as duplicate is already dealt with."""
    rows = [
        same_customer(1, 0),
        same_customer(2, 1, hold_reason="order_cancelled"),
        same_customer(3, 2, hold_reason="duplicate_event_id"),
    ]
    assert counted(measured("likely_duplicates", rows)) == (1, 2)


def test_each_destination_is_measured_by_itself_and_the_worst_is_reported():
    """One bad destination of nine does not hide behind the others."""
    names = ["meta", *(f"acme{number}" for number in range(8))]
    rows = [same_customer(n, 60 * n, destination=name) for name in names for n in range(4)]
    rows += [same_customer(9, 1, destination="acme3")]
    found = measured("likely_duplicates", rows)
    assert (found.where, found.unexpected, found.judged, found.examples) == ("acme3", 1, 5, ("purchase.9",))
    assert found.rates == {name: 0.2 if name == "acme3" else 0.0 for name in names}


def test_repeated_event_ids_are_counted_after_the_first():
    """Three rows with one id are two too many; another event name or destination is another event."""
    rows = [good_row(n, event_id="x") for n in (3, 1, 2)]
    rows += [good_row(4, event_id="x", event_name="Subscribe"), good_row(5, event_id="x", destination="acme")]
    found = measured("repeated_event_ids_due", rows_due=rows)
    assert (counted(found), found.examples) == ((2, 4), ("purchase.2", "purchase.3"))


def test_a_row_that_a_join_has_multiplied_is_a_repeated_event_id():
    """The same event twice among the rows due would be counted twice by a platform without dedup."""
    found = measured("repeated_event_ids_due", rows_due=[good_row(1), good_row(1), good_row(2)])
    assert counted(found) == (1, 3)


def test_rows_held_for_their_repeated_id_do_not_count_again():
    """They will not be sent. Rows without an id are not judged here."""
    rows = [
        good_row(1),
        good_row(2, event_id="purchase.1", hold_reason="duplicate_event_id"),
        good_row(3, event_id="purchase.1", hold_reason="consent_denied"),
        good_row(4, event_id=None, hold_reason="invalid_key"),
        good_row(5, event_id="purchase.1", hold_reason="suppressed"),
    ]
    assert counted(measured("repeated_event_ids", rows)) == (1, 2)


def test_match_keys_are_judged_where_the_models_asked_for_them():
    """Rows that were held for an earlier reason never came to the question."""
    reasons = [None, "waiting_period", "expired", "no_match_key", "consent_denied", "invalid_value"]
    rows = [good_row(number, hold_reason=reason) for number, reason in enumerate(reasons)]
    found = measured("events_without_match_key", rows)
    assert (counted(found), found.examples) == ((1, 4), ("purchase.3",))


def test_rows_due_without_any_match_key_count_too():
    """An edited model may send what it should hold; a click id or an IP is a match key."""
    bare = {"email_sha256": None, "external_id_sha256": None}
    rows = [good_row(1), good_row(2, **bare), good_row(3, **bare, client_ip="192.0.2.1"), good_row(4, **bare)]
    found = measured("events_without_match_key", rows[:3], rows_due=rows)
    assert (counted(found), found.examples) == ((2, 4), ("purchase.2", "purchase.4"))


def test_events_that_the_pixel_reported_too_are_counted_in_the_worst_event():
    """Many page views must not hide that every second purchase is counted twice; held rows are counted nowhere."""
    rows = [good_row(n, event_name="PageView", has_pixel_duplicate=n == 0) for n in range(10)]
    rows += [good_row(20 + n, has_pixel_duplicate=n % 2 == 0) for n in range(4)]
    rows += [good_row(30, has_pixel_duplicate=True, hold_reason="consent_denied")]
    rows += [good_row(40, destination="acme", event_name="Lead")]
    found = measured("pixel_duplicates", rows)
    assert (found.where, counted(found), found.examples) == ("meta", (2, 4), ("purchase.20", "purchase.22"))
    assert found.rates == {"meta": 0.5, "acme": 0.0}


def test_without_a_list_of_what_the_pixel_fired_nothing_is_judged():
    """A shop that has no such model, or has not built it yet, passes."""
    rows = [good_row(n, has_pixel_duplicate=None) for n in range(3)]
    assert counted(measured("pixel_duplicates", rows)) == (0, 0)


def test_zero_values_are_counted_among_the_rows_with_a_value():
    """NULL is another rule's business."""
    values = ["0", "0.0000", "0.0001", "-1", None]
    rows = [good_row(n, value=None if value is None else Decimal(value)) for n, value in enumerate(values)]
    assert counted(measured("zero_values", rows)) == (2, 4)


@pytest.mark.parametrize(
    ("value", "is_outlier"),
    [("59900.0000", False), ("59900.0001", True), ("0.0599", False), ("0.0598", True), ("-59.9", True)],
)
def test_a_value_is_plausible_up_to_the_bounds_of_its_band(value, is_outlier):
    """The band is median / factor to median * factor, both included, in exact decimals."""
    rows = [good_row(1, value=Decimal(value))]
    found = measured("implausible_values", rows, history=[("EUR", 59.9, 30)], value_band_factor=1000)
    assert (int(is_outlier), 1) == counted(found)


@pytest.mark.parametrize(
    "history",
    [
        [("EUR", 10.0, 29)],
        [("USD", 10.0, 99)],
        [("EUR", None, 99)],
        [("EUR", math.nan, 99)],
        [("EUR", math.inf, 99)],
        [("EUR", 0.0, 99)],
        [("EUR", -5.0, 99)],
        [],
    ],
)
def test_a_currency_without_a_usable_history_is_not_judged(history):
    """Fewer than 30 rows, another currency, or a median that is no amount: no band."""
    rows = [good_row(1, value=Decimal(10**9))]
    assert counted(measured("implausible_values", rows, history=history)) == (0, 0)


def test_zero_values_and_values_that_are_no_number_have_no_band():
    """Zero has its own share, NaN and infinity their own rule; each is judged once."""
    rows = window(*(good_row(n) for n in range(4))).with_columns(value=pl.Series([0.0, math.nan, math.inf, 25.0]))
    batch = Batch(due(), rows, bands(("EUR", 20.0, 40)), QualitySettings(), NAIVE)
    assert counted(measure(RULES["implausible_values"], batch)) == (0, 1)


def test_only_events_more_than_a_year_ahead_are_too_far():
    """A future event waits; one beyond any plan is a wrong unit."""
    ahead = [timedelta(days=366), timedelta(days=366, seconds=1), timedelta(days=-5)]
    rows = [good_row(n, event_at=NAIVE + delta) for n, delta in enumerate(ahead)]
    assert counted(measured("event_times_far_ahead", rows)) == (1, 3)


@pytest.mark.parametrize("column", list(RULES))
def test_an_empty_batch_has_nothing_to_judge(column):
    """No rows, no share: neither zero nor an error."""
    found = measured(column)
    assert (found.observed, found.where, found.examples) == (None, None, ())


@pytest.mark.parametrize("limits", [{"duplicate_window_minutes": math.inf}, {"value_band_factor": math.inf}])
def test_limits_without_end_do_no_harm(limits):
    """An endless window compares all rows; an endless band judges none."""
    rows = [same_customer(n, 60 * n) for n in range(3)]
    history = [("EUR", 20.0, 40)]
    expected = {"duplicate_window_minutes": (2, 0), "value_band_factor": (0, 0)}[next(iter(limits))]
    found = [
        measured(column, rows, history=history, **limits) for column in ("likely_duplicates", "implausible_values")
    ]
    assert expected == tuple(one.unexpected for one in found)
