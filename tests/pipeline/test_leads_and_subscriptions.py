"""Leads, subscriptions and refunds from raw rows to the outbox, bad rows among them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.crooked_shop import JUNK, LONG
from tests.support.dbt_project import build, dbt, order, rows, session

AUSTIN = {"country_code": "US", "region": "TX", "email": "ray@example.com", "is_test": "false"}
"""Where nobody needs to agree first, so that the rows alone decide."""


def lead(lead_id: str | None, stage: str | None, **changes: Any) -> dict[str, Any]:
    """Return a lead of an hour ago that may be sent."""
    return AUSTIN | {
        "lead_id": lead_id,
        "stage": stage,
        "occurred_at": "2026-11-20T11:00:00Z",
        "created_at": "2026-11-20T10:00:00Z",
        "channel": "web",
        "platform_lead_id": None,
        "value": None,
        "currency": None,
        "session_id": None,
        "first_name": None,
        **changes,
    }


def change(subscription_id: str | None, word: str, **changes: Any) -> dict[str, Any]:
    """Return a subscription's change of an hour ago that may be sent."""
    plain = {"subscription_id": subscription_id, "change": word, "changed_at": "2026-11-20T11:00:00Z"}
    return AUSTIN | plain | {"amount": "29", "currency": "USD", "period": "2", "order_id": None, **changes}


LEADS = [
    lead("good", "lead", value="1e1", currency="usd"),
    lead("good", "New Lead", occurred_at="2026-11-20T11:30:00Z"),
    lead("good", "QualifiedLead", channel="crm", platform_lead_id="123456789012345"),
    lead("no_money", "lead", value="-5", currency="Taler"),
    lead("timeless", "lead", occurred_at="soon"),
    lead("early", "ClosedWon", channel="crm", occurred_at="2026-11-20T09:00:00Z"),
    lead("unrouted", JUNK, channel="crm", first_name=JUNK, platform_lead_id=LONG),
    lead("endless", LONG, channel="crm"),
    lead("word", "newsletter"),
    lead("wordless", None, channel="crm"),
    lead("rehearsal", "lead", is_test="perhaps"),
    lead(None, "lead"),
    lead("x" * 101, "lead"),
    lead("1001", "Purchase", channel="crm"),
]
CHANGES = [
    change("good", "trial_started", amount="free"),
    change("good", "subscribed"),
    change("good", "renewed"),
    change("good", "renewed", changed_at="2026-11-20T11:10:00Z"),
    change("ordered", "renewed", order_id="1001"),
    change("dayless", "renewed", period="x", changed_at="?"),
    change(None, "subscribed"),
    change("over", "cancelled"),
]
REFUNDS = [
    {"refund_id": "r1", "order_id": "1002", "amount": "4", "currency": "EUR"},
    {"refund_id": "r2", "order_id": "1002", "amount": "6.00", "currency": None},
    {"refund_id": "r3", "order_id": "1003", "amount": "4", "currency": "EUR"},
    {"refund_id": "r4", "order_id": "1003", "amount": "9" * 40, "currency": "EUR"},
    {"refund_id": "r5", "order_id": None, "amount": "1", "currency": None},
]


def shop() -> dict[str, list[dict[str, Any]] | None]:
    """Return a shop that has all three tables."""
    orders = [order(name, country_code="US", region="TX") for name in ("1001", "1002", "1003")]
    return {"orders": orders, "leads": LEADS, "subscriptions": CHANGES, "refunds": REFUNDS}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the shop once, with renewals as purchases and refunds off the value."""
    choices = {"renewal_event_name": "Purchase", "subtract_refunds": True, "segment_customers": True}
    return build(tmp_path_factory.mktemp("leads"), shop(), choices, is_tested=True)


def reasons(built: Path) -> dict[str, str | None]:
    """Return the hold reason of every row of the outbox."""
    found = rows(built, "select event_key, hold_reason from fct_conversion_outbox")
    assert len(found) == len({row["event_key"] for row in found})
    return {row["event_key"]: row["hold_reason"] for row in found}


def test_every_record_is_sent_or_has_a_reason(built: Path) -> None:
    """Of the same lead and stage the first row; what a shop's CRM calls its own way goes nowhere without a route."""
    found = {key: reason for key, reason in reasons(built).items() if len(key) < 200}
    assert found == {
        "lead.good": None,
        "qualifiedlead.leads-good": None,
        "lead.no_money": None,
        "lead.timeless": "invalid_time",
        "closedwon.leads-early": "invalid_time",
        "lead.?1": "invalid_key",
        f"lead.{'x' * 101}": "invalid_key",
        f"{JUNK.replace(chr(0), '').strip().lower()}.leads-unrouted": "not_routed",
        "starttrial.good": None,
        "subscribe.good": None,
        "subscribe.?1": "invalid_key",
        "purchase.subscriptions-good.2": None,
        "purchase.subscriptions-dayless.?": "invalid_key",
        "purchase.1001": None,
        "purchase.1002": "order_refunded",
        "purchase.1003": None,
        "purchase.leads-1001": "invalid_value",
    }


def test_records_without_an_event_are_named(built: Path) -> None:
    """A renewal that is an order already makes no second purchase."""
    found = rows(built, "select * from audit_records_without_event")
    assert {(row["source_table"], row["source_id"], row["reason"]) for row in found} == {
        ("leads", "word", "unknown_stage"),
        ("leads", "wordless", "unknown_stage"),
        ("leads", "rehearsal", "test_record"),
        ("subscriptions", "ordered", "counted_as_order"),
        ("subscriptions", "over", "cancelled"),
        ("refunds", "r4", "invalid_amount"),
        ("refunds", "r5", "unknown_order"),
    }


def test_values_and_ids_reach_the_mart(built: Path) -> None:
    """A value that is none is left out, a partial refund is taken off, and only a real platform id is kept."""
    found = rows(built, "select * from fct_conversion_events")
    events = {row["event_key"]: row for row in found}
    assert (events["lead.good"]["value"], events["lead.good"]["currency"]) == (Decimal(10), "USD")
    assert events["lead.no_money"]["currency"] is None
    assert events["starttrial.good"]["value"] is None
    assert events["purchase.1003"]["value"] == Decimal(6)
    assert events["purchase.1003"]["customer_segmentation"] == "existing_customer_to_business"
    stage = events["qualifiedlead.leads-good"]
    assert (stage["lead_id"], stage["event_source"], stage["lead_event_source"]) == ("123456789012345", "crm", "CRM")
    assert {row["lead_id"] for row in found} == {None, "123456789012345"}
    assert events["subscribe.good"]["subscription_id"] == "good"


@pytest.mark.parametrize(
    ("choice", "model", "told"),
    [
        ({"subtract_refunds": "false"}, "int_events__purchase", "subtract_refunds is 'false'. It can be one of: true,"),
        ({"renewal_event_name": "purchase"}, "int_events__renewal", "'purchase' in the dbt var renewal_event_name"),
    ],
)
def test_a_wrong_choice_stops_the_build(built: Path, choice: dict[str, str], model: str, told: str) -> None:
    """The message names the variable and what it can be; the word 'false' is no false."""
    done = dbt(built, "compile", "--select", model, "--vars", json.dumps(choice))
    assert done.returncode != 0
    assert told in " ".join(done.stdout.split())


def test_nothing_of_a_browser_goes_with_a_sale_elsewhere(tmp_path: Path) -> None:
    """A sale at the till, on the phone or in a chat has no address, browser or page, even of its own session."""
    online = {"client_ip": "192.0.2.1", "user_agent": "Browser/1", "landing_url": "https://shop.example.com/?x=1"}
    visit = session("s1", customer_id="c1", referrer_url="https://example.com/", country_code="US", **online)
    place = {"country_code": "US", "region": "TX", "customer_id": "c1"}
    channels = ("web", "pos", "phone", "chat")
    orders = [order(one, channel=one, session_id="s1", **place, **online) for one in channels]
    orders.append(order("old", channel="pos", **place, paid_at="2026-09-20T12:00:00Z"))
    orders.append(order("older", channel="pos", **place, paid_at="2026-09-18T12:00:00Z"))
    warehouse = build(tmp_path, {"orders": orders, "sessions": [visit]})
    query = "select * from fct_conversion_events inner join fct_conversion_outbox using (event_key)"
    found = {row["order_id"]: row for row in rows(warehouse, query)}
    of_browser = ("client_ip", "user_agent", "event_source_url", "referrer_url")
    assert all(found["web"][name] for name in of_browser)
    assert not [one for one in channels[1:] for name in of_browser if found[one][name]]
    assert [found[one]["action_source"] for one in channels[1:]] == ["physical_store", "phone_call", "chat"]
    assert (found["old"]["hold_reason"], found["older"]["hold_reason"]) == (None, "expired")
