"""A shop in which everything is wrong that can be wrong in a table of texts."""

from __future__ import annotations

from typing import Any

from tests.support.dbt_project import COLUMNS, decision, order, session

JUNK = "O'Brien\"; drop table raw.orders; --\n\t\x00\\ 😀 ' {{ x }} %"
LONG = "ä" * 10_000

HELD: dict[str, dict[str, Any]] = {
    "invalid_key": {
        "x" * 101: {},
        "long_browser_id": {"browser_event_id": "b" * 201},
        LONG: {},
    },
    "duplicate_event_id": {
        "second_of_two": {"browser_event_id": "shared", "paid_at": "2026-11-20T11:00:01Z"},
        "timeless_of_two": {"browser_event_id": "shared", "paid_at": "?"},
    },
    "invalid_time": {
        "word": {"paid_at": "yesterday"},
        "infinite": {"paid_at": "infinity"},
        "no_such_day": {"paid_at": "2026-02-30T10:00:00Z"},
        "number": {"paid_at": "1763600000"},
        "first_day": {"paid_at": "0001-01-01T00:00:00Z"},
        "last_day": {"paid_at": "9999-12-31T23:59:59Z"},
    },
    "order_cancelled": {
        "cancelled": {"cancelled_at": "2026-11-20T11:30:00Z"},
        "cancelled_some_time": {"cancelled_at": "?"},
        "voided": {"financial_status": " Voided "},
    },
    "order_refunded": {"refunded": {"financial_status": "REFUNDED"}},
    "payment_unconfirmed": {
        "pending": {"financial_status": "pending"},
        "word_unknown": {"financial_status": "settled"},
    },
    "invalid_value": {
        "no_value": {"total": ""},
        "nan": {"total": "NaN"},
        "infinity": {"total": "-inf"},
        "negative": {"total": "-0.01"},
        "comma": {"total": "10,00"},
        "huge": {"total": "9" * 40},
        "huge_exponent": {"total": "1e300"},
        "almost_huge": {"total": "99999999999999.9999"},
    },
    "invalid_currency": {"none": {"currency": ""}, "name": {"currency": "Euro"}, "gold": {"currency": "XAU"}},
    "consent_missing": {"never_asked": {"customer_id": "silent"}, "grant_without_time": {"customer_id": "timeless"}},
    "consent_denied": {"tie": {"customer_id": "undecided"}, "status_unknown": {"customer_id": "odd"}},
    "consent_withdrawn": {"denial_without_time": {"customer_id": "left"}},
    "missing_app_data": {"app": {"channel": "APP"}},
    "no_match_key": {"country_only": {"customer_id": "", "email": "no address", "session_id": "agreed"}},
    "expired": {"too_old": {"paid_at": "2026-11-13T12:59:59Z"}},
}
"""Orders by the reason that must hold them: what makes each differ from a good one."""

SENDABLE: dict[str, dict[str, Any]] = {
    "x" * 100: {},
    "?1": {},
    "free": {"total": "0"},
    "first_of_two": {"browser_event_id": "shared"},
    "half_cent": {"total": "10.005"},
    "exponent": {"total": "1e1"},
    "yen": {"total": "99.5", "currency": " jpy "},
    "dinar": {"total": "1.2345", "currency": "KWD"},
    "offset": {"paid_at": "2026-11-20T13:00:00+02:00"},
    "no_zone": {"paid_at": "2026-11-20 11:00:00"},
    "future": {"paid_at": "2026-11-21T12:00:00Z"},
    "just_in_time": {"paid_at": "2026-11-13T13:00:00Z"},
    "created_some_time": {"created_at": "?", "updated_at": "?"},
    "unknown_channel": {"channel": "carrier pigeon"},
    "empty_flag": {"is_test": ""},
    "will_deny": {"customer_id": "will_deny"},
    "junk": dict.fromkeys(("first_name", "last_name", "city", "region", "user_agent", "phone", "gender"), JUNK),
    "long": dict.fromkeys(("first_name", "city", "user_agent", "landing_url", "postal_code"), LONG),
    "odd_urls": {"session_id": "odd", "landing_url": 'https://a.de/"\n<x>?fbclid=\'"', "client_ip": "999.1.1.1"},
    "ipv6": {"customer_id": "modern", "session_id": "ipv6"},
}
"""Orders that are odd and yet may be sent."""

WITHOUT_EVENT = {
    "unpaid": {"paid_at": " "},
    "unpaid_test": {"paid_at": "", "is_test": "TRUE"},
    "odd_flag": {"is_test": "perhaps"},
}


def crooked_shop() -> dict[str, list[dict[str, Any]] | None]:
    """Return a shop whose tables, all text, have every fault at once."""
    odd = {name: changes for orders in (*HELD.values(), SENDABLE, WITHOUT_EVENT) for name, changes in orders.items()}
    # Each customer is a person: one address on all orders would make them one, who has denied.
    people = {name: {"customer_id": "agreed"} | changes for name, changes in odd.items()}
    orders = [order(name, **{"email": f"{one['customer_id']}@example.com"} | one) for name, one in people.items()]
    orders += [order(None, customer_id="agreed"), order("  ", customer_id="agreed")]
    orders += [order("twice", customer_id="agreed", total="1"), order("twice", customer_id="agreed", total="x")]
    orders[-2]["updated_at"] = "2026-11-20T11:30:00Z"
    return {"orders": orders, "order_lines": crooked_lines(), "sessions": crooked_sessions(), "consent": crooked_log()}


def crooked_lines() -> list[dict[str, Any]]:
    """Return lines of the order ``free``: two that say what and how many, and others."""
    lines = [("2", "p2", "1", "x"), ("1", "p1", "2.0", "9.99"), ("1", "p1", "2.0", "9.99"), ("3", "", "1", "1")]
    lines += [("4", "p4", "0", "1"), ("5", "p5", "many", "1"), ("6", "p6", "9" * 30, "1"), ("7", "p7", "-1", "1")]
    return [
        dict(zip(COLUMNS["order_lines"], ("free", n, p, JUNK, LONG, q, price), strict=True)) for n, p, q, price in lines
    ]


def crooked_sessions() -> list[dict[str, Any]]:
    """Return sessions with malformed ids and addresses, repeated and without a key."""
    odd = {
        "fbp": "fb.1.1.x",
        "fbc": "FB.1.1700000000000.Abc",
        "client_ip": "1.2.3",
        "landing_url": "https://a.de/?fbclid=%00'",
    }
    return [
        session("odd", **odd),
        session("odd", **odd),
        session("", customer_id="agreed"),
        session("agreed", started_at="?"),
        session("ipv6", client_ip="2001:DB8::0:1", landing_url="https://a.de/?fbclid=AbC", fbp="fb.1.1700000000000.1"),
    ]


def crooked_log() -> list[dict[str, Any]]:
    """Return a log of decisions that is out of order, with ties, unknown words and unreadable times."""
    return [
        decision("will_deny", "denied", recorded_at="2026-11-20T12:00:01Z"),
        decision("will_deny"),
        decision("agreed"),
        decision("modern"),
        decision("agreed", "denied", recorded_at="2026-10-01T00:00:00Z"),
        decision("agreed", "denied", purpose="analytics"),
        decision("v-agreed", subject_type=" Visitor ", status="GRANTED"),
        decision("timeless", recorded_at="?"),
        decision("undecided", "denied"),
        decision("undecided"),
        decision("odd", "probably"),
        decision("left"),
        decision("left", "denied", recorded_at="last week"),
        decision("", "granted"),
    ]
