"""Rows of the pixel, the app, conversations, leads and subscriptions in which something is wrong, beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.crooked_shop import JUNK, LONG
from tests.support.dbt_project import build, order, rows

AUSTIN = {"country_code": "US", "region": "TX", "email": "ray@example.com"}
"""Where nobody needs to agree first, so that the rows alone decide."""

OPTIONAL = ("value", "currency", "order_id", "event_id", "is_test", "content_ids", "predicted_ltv")
APP = {"event_name": "AddToCart", "platform": "iOS", "os_version": "17", "advertiser_tracking_enabled": "yes"}
PURCHASE = {"event_name": "Purchase", "value": "5", "currency": "USD"}
CHAT = PURCHASE | {"messaging_channel": "WhatsApp", "whatsapp_business_account_id": "1", "ctwa_clid": "c"}
RENEWAL = {"change": "renewed", "period": "2", "amount": "5", "currency": "USD"}

TABLES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "web_events": ("web_event_id", "occurred_at", {"event_name": "AddToCart"}),
    "app_events": ("app_event_id", "occurred_at", APP),
    "messages": ("message_id", "occurred_at", CHAT),
    "leads": ("lead_id", "occurred_at", {"stage": "lead", "channel": "web"}),
    "subscriptions": ("subscription_id", "changed_at", RENEWAL),
}
"""The columns of a row's id and time, and what a good row has beside them."""

ROWS: dict[str, list[tuple[str | None, dict[str, Any]]]] = {
    "web_events": [
        *(("1", {}), ("app_events-1", {}), (None, {}), (JUNK, {}), (LONG, {}), ("3", {"event_name": "PURCHASE"})),
        *(("cheap", {"value": "-5", "currency": "EUR"}), ("name", {"event_name": JUNK}), ("test", {"is_test": "?"})),
        *(("list", {"content_ids": '["a", "b"]'}), ("late", {"occurred_at": "soon"})),
    ],
    "app_events": [
        *(("1", {}), (None, {"event_name": None}), ("pc", {"platform": "Windows"}), ("os", {"os_version": None})),
        *(("may", {"advertiser_tracking_enabled": "perhaps"}), ("odd", {"event_name": JUNK}), (LONG, {})),
        *(("first", PURCHASE | {"order_id": "new", "event_id": "A"}), ("dear", PURCHASE | {"value": "9" * 40})),
        *(("second", PURCHASE | {"order_id": "new", "event_id": "B"}), ("known", PURCHASE | {"order_id": "1"})),
    ],
    "messages": [
        *(("1", {}), (None, {}), ("new", {"order_id": "new"}), ("known", {"order_id": "1"}), ("free", {"value": ""})),
        *(("fax", {"messaging_channel": "fax"}), ("id", {"ctwa_clid": None}), ("lead", {"event_name": "Lead"})),
    ],
    "leads": [
        *(("1", {}), ("1", {"channel": "phone"}), ("leads-1", {}), ("ltv", {"predicted_ltv": "-1"})),
        *(("1", {"stage": name, "channel": "crm"}) for name in ("AddToCart", "Purchase", "lead")),
        *(("cheap", {"value": "-5", "currency": "USD"}), ("word", {"stage": JUNK}), (None, {}), (LONG, {})),
    ],
    "subscriptions": [
        *(("1", {}), ("2", {"order_id": "unpaid"}), ("3", {"order_id": "1"}), ("cheap", {"amount": "-5"})),
        *((None, {}), ("day", {"period": "x", "changed_at": "?"}), ("word", {"change": JUNK})),
    ],
}
"""By table: the id of each row, and what makes it differ from a good one."""


def shop() -> dict[str, list[dict[str, Any]] | None]:
    """Return the rows, in tables of text, with a paid order and one that waits for its payment."""
    place = {"country_code": "US", "region": "TX"}
    waiting = order("unpaid", financial_status="pending", paid_at="", **place)
    tables: dict[str, list[dict[str, Any]] | None] = {"orders": [order("1", **place), waiting]}
    for table, (record_id, time, plain) in TABLES.items():
        good = dict.fromkeys(OPTIONAL) | AUSTIN | plain | {time: "2026-11-20T11:00:00Z"}
        tables[table] = [good | {record_id: name} | changes for name, changes in ROWS[table]]
    return tables


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the shop once, with renewals as purchases."""
    return build(tmp_path_factory.mktemp("records"), shop(), {"renewal_event_name": "Purchase"}, is_tested=True)


def events(built: Path, name: str) -> dict[str, tuple[str | None, str | None]]:
    """Return id and hold reason of the events of a name by their keys, but for the strangest."""
    query = f"select event_key, event_id, hold_reason from fct_conversion_outbox where event_name = '{name}'"
    found = [row for row in rows(built, query) if len(row["event_key"]) < 40 and " " not in row["event_key"]]
    return {row["event_key"].partition(".")[2]: (row["event_id"], row["hold_reason"]) for row in found}


def test_ids_of_different_tables_never_meet(built: Path) -> None:
    """The first row of the pixel, of the app and of the CRM. What looks like another table's id stops no build."""
    assert events(built, "AddToCart") == {
        "1": ("addtocart.1", None),
        "?app_events-1": ("addtocart.app_events-1", None),
        "?1": (None, "invalid_key"),
        "cheap": ("addtocart.cheap", None),
        "list": ("addtocart.list", None),
        "late": ("addtocart.late", "invalid_time"),
        "app_events-1": ("addtocart.app_events-1", "duplicate_event_id"),
        "app_events-pc": ("addtocart.app_events-pc", "missing_app_data"),
        "app_events-os": ("addtocart.app_events-os", "missing_app_data"),
        "app_events-may": ("addtocart.app_events-may", "missing_app_data"),
        "leads-1": ("addtocart.leads-1", None),
    }


def test_an_order_is_a_purchase_once(built: Path) -> None:
    """Whoever told of it: shop, app, conversation, renewal. A purchase without a value is held in each table."""
    assert events(built, "Purchase") == {
        "1": ("purchase.1", None),
        "app_events-first": ("A", None),
        "app_events-dear": ("purchase.app_events-dear", "invalid_value"),
        "messages-1": ("purchase.messages-1", None),
        "messages-?1": (None, "invalid_key"),
        "messages-free": ("purchase.messages-free", "invalid_value"),
        "messages-fax": ("purchase.messages-fax", "missing_messaging_data"),
        "messages-id": ("purchase.messages-id", "missing_messaging_data"),
        "leads-1": ("purchase.leads-1", "invalid_value"),
        "subscriptions-1.2": ("purchase.1.2", None),
        "subscriptions-2.2": ("purchase.unpaid", None),
        "subscriptions-cheap.2": ("purchase.cheap.2", "invalid_value"),
        "subscriptions-?1.2": (None, "invalid_key"),
        "subscriptions-day.?": (None, "invalid_key"),
    }


def test_a_lead_is_one_event_in_two_channels(built: Path) -> None:
    """What cannot be its value does not hold it."""
    assert events(built, "Lead") == {
        "1": ("lead.1", None),
        "?leads-1": ("lead.leads-1", None),
        "ltv": ("lead.ltv", None),
        "cheap": ("lead.cheap", None),
        "?1": (None, "invalid_key"),
        "messages-lead": ("lead.messages-lead", "invalid_event_name"),
    }


def test_what_is_no_value_is_left_out(built: Path) -> None:
    """No negative value or lifetime value leaves; a list of ids is read as one."""
    query = "select event_key, value, currency, predicted_ltv, content_ids from fct_conversion_events"
    found = {row.pop("event_key"): tuple(row.values()) for row in rows(built, query)}
    assert {found[key] for key in ("lead.ltv", "lead.cheap", "addtocart.cheap")} == {(None, None, None, None)}
    assert found["addtocart.list"] == (None, None, None, ["a", "b"])


def test_rows_without_an_event_are_named(built: Path) -> None:
    """With why."""
    found = rows(built, "select source_table, source_id, reason from audit_records_without_event")
    assert {tuple(row.values()) for row in found} == {
        ("web_events", "3", "counted_as_order"),
        ("web_events", "name", "unknown_event"),
        ("web_events", "test", "test_record"),
        ("app_events", "known", "counted_as_order"),
        ("app_events", "second", "counted_as_order"),
        ("messages", "new", "counted_as_order"),
        ("messages", "known", "counted_as_order"),
        ("leads", "word", "unknown_stage"),
        ("subscriptions", "3", "counted_as_order"),
        ("subscriptions", "word", "unknown_change"),
    }
