"""Shops that differ in one raw column each: what of an event differs with it is made of that column."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.support.repository import text

Column = tuple[str, str]
"""A raw table and its column."""

Row = dict[str, Any]

TABLES: Final = (
    *("orders", "order_lines", "sessions", "leads", "subscriptions", "web_events", "app_events", "messages"),
    "refunds",
)

_CLICKS: Final = ("fbclid", "gclid", "gbraid", "wbraid", "ttclid", "ScCid", "epik", "rdt_cid", "li_fat_id", "msclkid")
_OWN_ORDERS: Final = ("subscriptions", "web_events", "app_events", "messages")
_KEYS: Final = re.compile(r"(?:order|session|lead|subscription|web_event|app_event|message|refund)_id")


def _clicked(site: str, value: str) -> str:
    return f"https://{site}/y?" + "&".join(f"{name}={value}" for name in (*_CLICKS, "twclid"))


PLAIN: Final[Mapping[str, str]] = {
    "email": "mail{tag}@example.com", "phone": "030 1111111", "country_code": "DE", "region": "Hessen",
    "postal_code": "10115", "currency": "EUR", "landing_url": "https://a.example.com/x",
    "page_url": "https://p.example.com/x", "referrer_url": "https://r.example.com/", "client_ip": "203.0.113.9",
    "ga_client_id": "GA1.1.11.1700000000",
    "fbp": "fb.1.1700000000000.11", "fbc": "fb.1.1700000000000.Cookie", "date_of_birth": "1980-01-02", "gender": "f",
    "platform_lead_id": "123456789012345", "advertiser_tracking_enabled": "true",
    "application_tracking_enabled": "true", "platform": "android", "product_id": "p1", "quantity": "2",
    "line_number": "1", "channel": "web", "financial_status": "paid", "messaging_channel": "messenger",
    "period": "2", "started_at": "2026-11-20T10:00:00Z", "value": "12.00", "total": "20.00", "amount": "5.00",
    "stage": "lead", "change": "trial_started", "event_name": "AddToCart", "cancelled_at": "", "content_ids": "",
    "content_type": "", "num_items": "", "global_privacy_control": "", "browser_event_id": "", "event_id": "",
    "customer_id": "customer{tag}", "visitor_id": "visitor{tag}",
}  # fmt: skip
"""What a column holds where its kind alone does not do."""

OTHER: Final[Mapping[str, str]] = {
    "email": "other{tag}@example.org", "phone": "030 2222222", "country_code": "France", "region": "Bayern",
    "postal_code": "20095", "currency": "USD", "landing_url": _clicked("b.example.com", "B2"),
    "page_url": _clicked("c.example.com", "C3"), "referrer_url": "https://s.example.com/",
    "client_ip": "198.51.100.9", "ga_client_id": "GA1.1.22.1700000000",
    "fbp": "fb.1.1700000000000.22", "fbc": "fb.1.1700000000000.Other",
    "date_of_birth": "1970-02-03", "gender": "m", "platform_lead_id": "999456789012345", "is_new_customer": "true",
    "is_test": "true", "advertiser_tracking_enabled": "false", "application_tracking_enabled": "false",
    "platform": "ios", "product_id": "p9", "quantity": "7", "content_ids": "q1,q2", "content_type": "product_group",
    "num_items": "9", "channel": "phone", "financial_status": "pending", "messaging_channel": "whatsapp",
    "change": "subscribed", "stage": "contact", "event_name": "Search", "global_privacy_control": "true",
}  # fmt: skip
"""The other value of a column, by which an event would differ."""

BARE: Final = (
    "landing_url",
    "page_url",
    "client_ip",
    "user_agent",
    "country_code",
    "session_id",
    "fbp",
    "fbc",
    "value",
)
"""What is empty in the second kind of shop but in its sessions, so that other columns speak."""

_KINDS: Final = {
    "time": ("2026-11-20T10:30:00Z", "2026-11-20T10:45:00Z"),
    "number": ("3.00", "4.00"),
    "integer": ("3", "4"),
    "bool": ("false", "true"),
}


def every_contract() -> dict[str, dict[str, str]]:
    """Return the columns of every raw table and their kinds."""
    source = re.search(r"return\((\{.*\})\)", text("macros/staging/raw_contract.sql"), re.DOTALL)
    assert source
    tables = ast.literal_eval(source[1].replace("true", "True"))
    return {name: columns["required"] | columns["optional"] for name, columns in tables.items()}


def contract() -> dict[str, dict[str, str]]:
    """Return the same of the tables that a shop here has."""
    return {name: every_contract()[name] for name in TABLES}


def worlds() -> Iterator[tuple[bool, Column | None]]:
    """Yield each shop: whether it is bare, and which column is other in it than in the first of its kind."""
    for is_bare in (False, True):
        yield is_bare, None
        for table, columns in contract().items():
            yield from ((is_bare, (table, column)) for column in columns)


def raw_tables() -> dict[str, list[Row]]:
    """Return all shops in one set of raw tables: each has one row in each table, and ids with its number."""
    found: dict[str, list[Row]] = {name: [] for name in TABLES}
    for number, (is_bare, other) in enumerate(worlds()):
        for table, columns in contract().items():
            row = {column: _value(table, column, kind, is_bare, number) for column, kind in columns.items()}
            if other and other[0] == table:
                row[other[1]] = _other(other[1], columns[other[1]], number)
            found[table].append(row)
    return found


def _value(table: str, column: str, kind: str, is_bare: bool, number: int) -> str:
    if column == "order_id" and table in _OWN_ORDERS:
        return f"{table}-x{number}x"
    if is_bare and column in BARE and table not in {"sessions", "order_lines"}:
        return ""
    if _KEYS.fullmatch(column):
        return f"{column}-x{number}x"
    plain = _KINDS[kind][0] if kind in _KINDS else f"aa{column}"
    return PLAIN.get(column, plain).replace("{tag}", f"-x{number}x")


def _other(column: str, kind: str, number: int) -> str:
    if column.endswith("_id") and column not in OTHER:
        return f"other-{column}-x{number}x"
    return OTHER.get(column, _KINDS[kind][1] if kind in _KINDS else f"bb{column}").replace("{tag}", f"-x{number}x")


def without_number(value: Any, number: int) -> Any:
    """Return a value of an event as it would be in any shop: its ids without the number, also where they are hashed."""
    if isinstance(value, list):
        return [without_number(one, number) for one in value]
    if isinstance(value, dict):
        return {name: without_number(one, number) for name, one in value.items()}
    if not isinstance(value, str):
        return value
    ids = [PLAIN[name] for name in ("email", "customer_id")] + [OTHER["email"], "other-customer_id{tag}"]
    # One variant of an e-mail address is without dashes.
    told = {one.replace("{tag}", tag): one for one in ids for tag in (f"-x{number}x", f"x{number}x")}
    known = {hashlib.sha256(name.encode()).hexdigest(): one for name, one in told.items()}
    return known.get(value, value.replace(f"-x{number}x", ""))
