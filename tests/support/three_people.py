"""A shop with three people: Jane, of whom every table knows something, and two who have nothing to do with it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.dbt_project import decision, order, session
from tests.support.traces import hashes

JANE = "Jane.Q.Public@Erewhon-Mail.example"
_CLICK = "IwAR0clickOfJane"
_AGENT = "Mozilla/5.0 (JaneOS 7)"

RAW = [
    *(JANE, "+49 151 99887766", "0151 99887766", "Janequelina", "Publicola", "Quxhaven", "QX9 9ZZ", "1981-07-13"),
    *("cust-jane-1", "order-jane-1", "order-jane-2", "order-jane-3", "sess-jane-1", "vis-jane-1", "lead-jane-1"),
    *("192.0.2.231", _AGENT, _CLICK, "fb.1.1795000000000.771177", "hit-jane-1", "pay-jane-1", "jane-consent"),
]
"""Every text of hers that stands in a raw table."""
DERIVED = [
    *("purchase.order-jane-1", "purchase.order-jane-2"),
    *hashes(JANE.lower(), "4915199887766", "+4915199887766", "janequelina", "publicola", "quxhaven", "qx99zz"),
    *hashes("19810713", "cust-jane-1"),
]
"""What is made of it."""
NEEDLES = RAW + DERIVED


def tables() -> dict[str, list[dict[str, Any]]]:
    """Return the raw tables; longer than other functions, because every table knows something of her."""
    hers = {
        "customer_id": "cust-jane-1",
        "email": JANE,
        "phone": "+49 151 99887766",
        "first_name": "Janequelina",
        "last_name": "Publicola",
        "city": "Quxhaven",
        "postal_code": "QX9 9ZZ",
        "date_of_birth": "1981-07-13",
        "client_ip": "192.0.2.231",
        "user_agent": _AGENT,
    }
    guest = {"customer_id": "", "email": f" {JANE.lower()} ", "phone": "0151 99887766"}
    sold = [
        order("order-jane-1", session_id="sess-jane-1", total="111.11", **hers),
        order("order-jane-2", total="222.22", **guest),
        order("order-jane-3", total="333.33", financial_status="pending", paid_at="", **guest),
        order("order-bob-1", email="bob@example.com", phone="+49 151 11111111", session_id="sess-bob-1"),
        order("order-carol-1", email="carol@example.com", first_name="Carol"),
    ]
    landing = f"https://shop.example/?fbclid={_CLICK}"
    return {
        "orders": sold,
        "order_lines": [
            {"order_id": one["order_id"], "line_number": "1", "product_id": "17", "quantity": "1",
             "unit_price": one["total"], "title": "A hat", "category": ""}
            for one in sold
        ],
        "sessions": [
            session("sess-jane-1", visitor_id="vis-jane-1", customer_id="cust-jane-1", landing_url=landing,
                    fbp="fb.1.1795000000000.771177", client_ip="192.0.2.231", user_agent=_AGENT),
            session("sess-bob-1", visitor_id="vis-bob-1", customer_id="c-order-bob-1", fbp="fb.1.1795000000000.1"),
        ],
        "consent": [
            decision("cust-jane-1", consent_id="jane-consent"),
            *(decision(f"c-{one['order_id']}") for one in sold[3:]),
            decision("vis-jane-1", consent_id="jane-consent-2", subject_type="visitor"),
        ],
        "payments": [
            {"payment_id": f"pay-{one['order_id'][6:]}", "order_id": one["order_id"], "status": "succeeded",
             "amount": one["total"], "currency": "EUR", "confirmed_at": "", "method": "card"}
            for one in sold
        ],
        "leads": [
            {"lead_id": "lead-jane-1", "stage": "lead", "occurred_at": "2026-11-20T09:00:00Z", "channel": "web",
             "email": JANE, "country_code": "DE", "customer_id": ""},
        ],
        "web_events": [
            {"web_event_id": "hit-jane-1", "event_name": "ViewContent", "occurred_at": "2026-11-20T10:01:00Z",
             "session_id": "sess-jane-1", "visitor_id": "vis-jane-1", "page_url": landing, "product_id": "17",
             "value": "1", "currency": "EUR"},
        ],
    }  # fmt: skip


def write(folder: Path, raw: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    """Write raw tables as CSV files, to be loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in raw.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder
