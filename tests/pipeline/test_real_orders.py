"""4,034 real orders, from raw tables to the sandbox's counter.

What may be sent is computed here a second time, in plain Python from the CSV files, and must agree.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.project import ROOT, Project
from uploader.sandbox import Sandbox

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MAKER = ROOT.parent / "shared" / "data" / "olist" / "make_raw.py"
DATASET = "42"

pytestmark = pytest.mark.skipif(
    not MAKER.is_file(), reason="the real orders are not beside this checkout (../shared/data/olist)"
)


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """Read one of the CSV files."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reasons(folder: Path) -> dict[str, str | None]:
    """Say for each order why it is not sent, None if it is; by the rules, not by the project's SQL."""
    confirmed = {row["order_id"] for row in table(folder, "payments") if row["status"] == "succeeded"}
    sessions = {row["session_id"]: row for row in table(folder, "sessions")}
    by_customer = defaultdict(list)
    for row in sessions.values():
        by_customer[row["customer_id"]].append(row)
    decisions = defaultdict(list)
    for row in table(folder, "consent"):
        if row["purpose"] == "marketing":
            decisions[row["subject_type"], row["subject_id"]].append((row["recorded_at"], row["status"]))

    def consent(order: dict[str, str], visitor: str, until: str) -> str | None:
        known = decisions["customer", order["customer_id"]] + decisions["visitor", visitor]
        past = [(at, status == "denied", status) for at, status in known if at <= until]
        return max(past)[2] if past else None

    def visitor(order: dict[str, str]) -> str:
        if order["session_id"] in sessions:
            return sessions[order["session_id"]]["visitor_id"]
        created = datetime.fromisoformat(order["created_at"])
        age = {
            row["session_id"]: created - datetime.fromisoformat(row["started_at"])
            for row in by_customer[order["customer_id"]]
        }
        near = [
            row for row in by_customer[order["customer_id"]] if 0 <= age[row["session_id"]].total_seconds() <= 7 * 86400
        ]
        return max(near, key=lambda row: row["started_at"])["visitor_id"] if near else ""

    def reason(order: dict[str, str]) -> str | None:
        if not order["paid_at"]:
            return "not_paid"
        if order["cancelled_at"] or order["financial_status"] == "voided":
            return "order_cancelled"
        if order["financial_status"] == "refunded":
            return "order_refunded"
        if order["order_id"] not in confirmed:
            return "payment_unconfirmed"
        then, now = (
            consent(order, visitor(order), until) for until in (order["paid_at"], NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
        )
        if then != "granted":
            return "consent_missing" if then is None else "consent_denied"
        return "consent_withdrawn" if now == "denied" else None

    return {order["order_id"]: reason(order) for order in table(folder, "orders")}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Load, build, check and send, each as a person does it, and send once more."""
    raw = tmp_path_factory.mktemp("raw")
    command = [sys.executable, str(MAKER), str(raw), "--end", "2026-11-20T12:00:00Z", "--span-days", "6"]
    subprocess.run(command, check=True, capture_output=True)
    with Sandbox(clock=lambda: NOW, dataset_ids=[DATASET]) as sandbox:
        settings = {
            "UPLOADER_NOW": NOW.isoformat(),
            "META_ACCESS_TOKEN": sandbox.token,
            "UPLOADER__DESTINATIONS__META__DATASET_ID": DATASET,
            "UPLOADER__DESTINATIONS__META__BASE_URL": sandbox.url,
        }
        project = Project.copy(tmp_path_factory.mktemp("shop"), settings)
        project.uploader("load", str(raw))
        project.dbt("build")
        project.uploader("check")
        first, posted = json.loads(project.uploader("send", "--json")), len(sandbox.requests())
        second = json.loads(project.uploader("send", "--json"))
        yield {
            "first": first["destinations"]["meta"],
            "second": second["destinations"]["meta"],
            "posted": (posted, len(sandbox.requests())),
            "counted": sandbox.counted(DATASET),
            "found": decided(project.warehouse),
            "expected": reasons(raw),
            "totals": {order["order_id"]: Decimal(order["total"]) for order in table(raw, "orders")},
        }


def decided(warehouse: Path) -> dict[str, str | None]:
    """Return what the project decided about each order."""
    query = """
        select events.order_id, outbox.hold_reason
        from fct_conversion_outbox as outbox
        inner join fct_conversion_events as events on events.event_key = outbox.event_key
        union all
        select order_id, reason from audit_orders_without_event
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return dict(connection.execute(query).fetchall())


def test_exactly_the_sendable_orders_are_counted(sent: dict[str, Any]) -> None:
    """The platform counted each sendable order once and nothing else."""
    due = sorted(f"purchase.{order}" for order, reason in sent["expected"].items() if reason is None)
    assert sorted(event["event_id"] for event in sent["counted"]) == due
    assert sent["first"]["acked"] == len(due)


def test_the_counted_value_is_the_shops_own(sent: dict[str, Any]) -> None:
    """The sum over the platform's events is the sum over the sendable orders, to the cent."""
    due = sum(sent["totals"][order] for order, reason in sent["expected"].items() if reason is None)
    assert sum(Decimal(str(event["value"])) for event in sent["counted"]) == due


def test_every_order_has_its_reason(sent: dict[str, Any]) -> None:
    """All 4,034 orders are sent or have the reason that the rules give, the 72 without an event included."""
    counted = Counter(sent["found"].values())
    print("Orders by what became of them (None: sent):", dict(counted))  # noqa: T201 - a figure of the test
    assert counted == Counter(sent["expected"].values())
    assert sent["found"] == sent["expected"]
    assert (len(sent["found"]), counted["not_paid"]) == (4034, 72)


def test_a_second_send_posts_nothing(sent: dict[str, Any]) -> None:
    """Everything is known: no request."""
    assert sent["posted"][0] == sent["posted"][1]
    assert (sent["second"]["already"], sent["second"]["requests"]) == (sent["first"]["acked"], 0)
