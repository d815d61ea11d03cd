"""The demo: everything due is sent, whatever the day, and every hold reason is to be seen."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.support.project import Project
from uploader.cli.demo import DATASET, WORK

IN_A_YEAR = "2027-11-21T08:30:00Z"

HOLD_REASONS = {
    "invalid_key",
    "duplicate_event_id",
    "invalid_time",
    "order_cancelled",
    "order_refunded",
    "payment_unconfirmed",
    "invalid_value",
    "invalid_currency",
    "consent_missing",
    "consent_denied",
    "consent_withdrawn",
    "missing_app_data",
    "no_match_key",
    "expired",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Run the demo with a clock a year ahead; return what it printed, and its folder."""
    project = Project.copy(tmp_path_factory.mktemp("demo"), {"UPLOADER_NOW": IN_A_YEAR})
    return project.uploader("demo"), project.folder


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Ask the demo's warehouse."""
    with duckdb.connect(str(folder / WORK / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


def test_the_sandbox_counted_exactly_what_was_due(demo: tuple[str, Path]) -> None:
    """Every sendable event but those of the future is acked, and the sandbox says the same number."""
    printed, folder = demo
    due = rows(
        folder, "select count(*) from fct_conversion_outbox where is_sendable and event_at <= as_of + interval 1 minute"
    )
    acked = rows(folder, "select count(*) from sent_log where state = 'acked'")
    assert due == acked
    assert f"dataset {DATASET}: 1 request, {due[0][0]} events counted, 0 duplicates, 0 requests refused" in printed


def test_every_hold_reason_is_to_be_seen(demo: tuple[str, Path]) -> None:
    """Each reason that a Purchase can meet stands in the outbox and in what was printed."""
    printed, folder = demo
    found = {reason for (reason,) in rows(folder, "select distinct hold_reason from fct_conversion_outbox")}
    assert found - {None} == HOLD_REASONS
    assert not [reason for reason in HOLD_REASONS if reason not in printed]


def test_orders_without_an_event_are_named(demo: tuple[str, Path]) -> None:
    """Unpaid and test orders."""
    _, folder = demo
    assert {name for (name,) in rows(folder, "select distinct reason from audit_orders_without_event")} == {
        "not_paid",
        "test_order",
    }


def test_ten_countries_are_served(demo: tuple[str, Path]) -> None:
    """The events that were sent come from at least ten countries."""
    _, folder = demo
    query = """
        select count(distinct events.country_code) from sent_log
        inner join fct_conversion_events as events on events.event_id = sent_log.event_id
        where sent_log.state = 'acked'
    """
    assert rows(folder, query)[0][0] >= 10


def test_the_demo_explains_an_order_that_was_not_sent(demo: tuple[str, Path]) -> None:
    """The last step tells why: the consent was there when the order was paid, and was taken back."""
    printed, _ = demo
    story = printed[printed.index("uploader explain") :]
    assert "held: consent_withdrawn" in story
    assert "at the event granted, now denied" in story
