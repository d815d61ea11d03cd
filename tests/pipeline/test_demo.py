"""The demo: everything due is sent, whatever the day, and every hold reason is to be seen."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tests.support.project import Project
from uploader.cli.demo import WORK
from uploader.destinations import names

IN_A_YEAR = "2027-11-21T08:30:00Z"

HOLD_REASONS = {
    "invalid_key",
    "duplicate_event_id",
    "invalid_time",
    "order_cancelled",
    "order_refunded",
    "payment_unconfirmed",
    "invalid_event_name",
    "missing_messaging_data",
    "invalid_value",
    "invalid_currency",
    "not_routed",
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
    project = Project.copy(tmp_path_factory.mktemp("demo"), {"UPLOADER_NOW": IN_A_YEAR, "SHOP_LOG": "postgresql://x/y"})
    # A shop's own settings, whose sent log and names are none of the demo's business.
    own = "[ledger]\nurl_env = 'SHOP_LOG'\n[destinations.meta]\ntoken_env = 'SHOP_TOKEN'\ntest_event_code = 'TEST1'\n"
    (project.folder / "uploader.toml").write_text(own, encoding="utf-8")
    return project.uploader("demo"), project.folder


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Ask the demo's warehouse."""
    with duckdb.connect(str(folder / WORK / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


def test_each_platform_counted_exactly_what_was_due(demo: tuple[str, Path]) -> None:
    """Every sendable event but those of the future is acked, and the stand-in of its platform says the same number."""
    printed, folder = demo
    query = """
        select destination, count(*) from fct_conversion_outbox
        where is_sendable and event_at <= as_of + interval 1 minute group by 1 order by 1
    """
    due = rows(folder, query)
    assert due == rows(folder, "select destination, count(*) from sent_log where state = 'acked' group by 1 order by 1")
    table = printed[printed.index("What each platform counted") :]
    told = re.findall(r"^(\w+) +(\d+) +(\d+) +(\d+) ", table, flags=re.MULTILINE)
    assert told == [(name, str(count), str(count), "0") for name, count in due]
    assert [name for name, *_ in told] == list(names())


def test_statistics_get_no_hashed_identifiers(demo: tuple[str, Path]) -> None:
    """Who is asked about statistics alone is not told of in hashes; the other platforms' rows are as they were."""
    _, folder = demo
    query = "select destination, withheld_fields from fct_conversion_outbox group by all"
    found = {name: set((fields or "").split()) for name, fields in rows(folder, query)}
    assert found.pop("ga4") >= {"email_gmail_sha256", "email_sha256s", "phone_e164_sha256", "phone_digits_sha256s"}
    assert set().union(*found.values()) == set()


def test_every_hold_reason_is_to_be_seen(demo: tuple[str, Path]) -> None:
    """Each reason that the demo's rows meet stands in the outbox and in what was printed."""
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


def test_every_kind_of_event_is_sent(demo: tuple[str, Path]) -> None:
    """Those of the website, the app and conversations, each from its own table."""
    _, folder = demo
    query = """
        select events.action_source, events.event_name, count(*) from sent_log
        inner join fct_conversion_events as events on events.event_id = sent_log.event_id
        where sent_log.state = 'acked' and sent_log.destination = 'meta'
        group by all
    """
    sent: dict[object, set[object]] = {}
    for source, name, _ in rows(folder, query):
        sent.setdefault(source, set()).add(name)
    steps = {"PageView", "ViewContent", "Search", "AddToCart", "AddToWishlist", "InitiateCheckout", "AddPaymentInfo"}
    assert sent["website"] >= steps | {"Purchase"}
    assert sent["app"] == {"ViewContent", "Search", "AddToCart", "AddToWishlist", "InitiateCheckout", "Purchase"}
    talked = {"ViewContent", "LeadSubmitted", "Purchase", "OrderShipped", "CartAbandoned", "RatingProvided"}
    assert sent["business_messaging"] == talked | {"AddToCart", "InitiateCheckout", "QualifiedLead"}


def test_orders_of_the_app_go_with_what_it_told(demo: tuple[str, Path]) -> None:
    """Six of ten orders, and one that the shop does not know yet; the pixel's purchases make no event of their own."""
    _, folder = demo
    query = """
        select events.action_source = 'app', count(*) from sent_log
        inner join fct_conversion_events as events on events.event_id = sent_log.event_id
        where sent_log.state = 'acked' and sent_log.destination = 'meta' and events.event_name = 'Purchase'
            and events.app_info is not null
        group by 1
    """
    assert rows(folder, query) == [(True, 7)]
    query = """
        select source_table, reason, count(*) from audit_records_without_event
        where source_table in ('web_events', 'app_events', 'messages') group by all
    """
    assert sorted(rows(folder, query)) == [
        *[("app_events", "counted_as_order", 9), ("app_events", "test_record", 1)],
        *[("messages", "counted_as_order", 1), ("messages", "test_record", 1)],
        *[("web_events", "counted_as_order", 6), ("web_events", "test_record", 2), ("web_events", "unknown_event", 2)],
    ]


def test_leads_and_subscriptions_are_sent(demo: tuple[str, Path]) -> None:
    """Each kind of lead, the stages of the CRM that have a route, and each change of a subscription."""
    _, folder = demo
    query = """
        select distinct keyed.source_table, keyed.event_name from sent_log
        inner join int_events__keyed as keyed on keyed.event_id = sent_log.event_id
        where sent_log.state = 'acked' and keyed.source_table in ('leads', 'subscriptions')
    """
    assert set(rows(folder, query)) == {
        *(("leads", name) for name in ("Lead", "CompleteRegistration", "Contact", "Schedule", "SubmitApplication")),
        *(("leads", name) for name in ("QualifiedLead", "ClosedWon")),
        *(("subscriptions", name) for name in ("StartTrial", "Subscribe", "Renewal")),
    }


def test_records_without_an_event_are_named(demo: tuple[str, Path]) -> None:
    """A word that nobody knows, an end, a rehearsal, and refunds that cannot be counted."""
    _, folder = demo
    reasons = {reason for (reason,) in rows(folder, "select distinct reason from audit_records_without_event")}
    assert reasons >= {"test_record", "unknown_stage", "unknown_change", "cancelled"}
    assert reasons >= {"unknown_order", "other_currency", "invalid_amount"}
