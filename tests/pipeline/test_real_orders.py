"""4,034 real orders, from raw tables to the sandbox's counter.

What may be sent is computed here a second time, in plain Python from the CSV files, and must agree.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.project import ROOT, Project
from tests.support.rules import Rules, read_table
from tests.support.shop import DATASET, settings_for
from uploader.sandbox import Sandbox

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MAKER = ROOT.parent / "shared" / "data" / "olist" / "make_raw.py"

pytestmark = pytest.mark.skipif(
    not MAKER.is_file(), reason="the real orders are not beside this checkout (../shared/data/olist)"
)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Load, build, check and send, each as a person does it, and send once more."""
    raw = tmp_path_factory.mktemp("raw")
    command = [sys.executable, str(MAKER), str(raw), "--end", "2026-11-20T12:00:00Z", "--span-days", "6"]
    subprocess.run(command, check=True, capture_output=True)
    with Sandbox(clock=lambda: NOW, dataset_ids=[DATASET]) as sandbox:
        project = Project.copy(tmp_path_factory.mktemp("shop"), settings_for(sandbox, NOW))
        project.uploader("load", str(raw))
        project.dbt("build", "--exclude-resource-type", "unit_test")
        project.uploader("check")
        first, posted = json.loads(project.uploader("send", "--json")), len(sandbox.requests())
        second = json.loads(project.uploader("send", "--json"))
        yield {
            "first": first["destinations"]["meta"],
            "second": second["destinations"]["meta"],
            "posted": (posted, len(sandbox.requests())),
            "counted": sandbox.counted(DATASET),
            "found": decided(project.warehouse),
            "expected": Rules.read(raw, NOW).reasons(),
            "totals": {order["order_id"]: Decimal(order["total"]) for order in read_table(raw, "orders")},
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
