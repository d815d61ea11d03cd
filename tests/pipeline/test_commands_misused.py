"""The commands with what a person may hand them by mistake: a message with the right exit code, never a traceback."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from tests.support.shop import Shop, orders
from uploader.cli import send
from uploader.errors import LedgerRegression

NO_TEXT = os.fsdecode(b"caf\xe9")
"""A name that is no UTF-8, as Python has it."""


@pytest.mark.parametrize(
    "words", [("send", "--since", ""), ("plan", "--since", ""), ("prove", "--from", "2026-11-01", "--to", "")]
)
def test_an_empty_time_is_no_time(shop: Shop, words: tuple[str, ...]) -> None:
    """A scheduler's variable that is not set must not mean the whole window."""
    assert (shop.run(*words)[0], shop.posted()) == (64, 0)
    assert "is '', which is no ISO 8601 time" in shop.error


def test_a_log_found_damaged_after_sending_is_told_with_the_figures(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One document, exit 3: what was sent, and what is wrong with the log."""
    monkeypatch.setattr(send, "_keep", lambda *_: LedgerRegression("The sent log is damaged."))
    code, told = shop.json("send")
    assert (code, told["destinations"]["meta"]["acked"], told["problem"]) == (3, 3, "The sent log is damaged.")


def test_an_event_may_be_called_like_a_style(shop: Shop) -> None:
    """CRM stages are events by their own names."""
    names = ["Closed [won]", "[/won]", "[bold]"]
    shop.sells(*[row | {"event_name": name} for row, name in zip(orders(3), names, strict=True)])
    code, out = shop.run("plan")
    assert (code, [name for name in names if f"meta · {name}" in out]) == (0, names)


def test_a_year_too_many_digits_long_is_no_time(shop: Shop) -> None:
    """Staging cannot read it either; the newest row that it can read counts."""
    shop.sql("create schema raw")
    for table, column in (("orders", "updated_at"), ("sessions", "started_at"), ("consent", "recorded_at")):
        times = "('20261-11-20 10:00:00'), ('2026-11-20 13:00:00'), ('infinity')"
        shop.sql(f"create table raw.{table} as select * from (values {times}) as rows ({column})")
    found = {finding["topic"]: finding["text"] for finding in shop.json("doctor")[1]["findings"]}
    assert {found[f"source {table}"] for table in ("orders", "sessions", "consent")} == {
        "the newest row is 1.0 hours old"
    }


def test_a_name_that_is_no_text(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file of another machine's, and a warehouse: exit 64 and 78, each with a document."""
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / f"{NO_TEXT}.csv").write_text("order_id\n", encoding="utf-8")
    code, told = shop.json("load", str(folder))
    assert (code, "is not UTF-8. Rename it" in told["error"]) == (64, True)
    monkeypatch.setenv("UPLOADER_WAREHOUSE", f"{NO_TEXT}.duckdb")
    assert shop.json("plan")[0] == 78


def test_an_address_that_is_no_text(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read from a file of another encoding."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{NO_TEXT}@example.org\n"))
    assert (shop.run("forget", "--email", "-", "--yes")[0], "is not UTF-8 text" in shop.error) == (64, True)


def test_a_warehouse_in_memory_would_be_gone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows would be reported as loaded."""
    monkeypatch.setenv("UPLOADER_WAREHOUSE", ":memory:")
    assert (shop.run("plan")[0], "Name a file" in shop.error) == (78, True)


def test_an_order_is_found_beside_a_lead_of_the_same_id(shop: Shop) -> None:
    """Both are numbered; what the shop says of the order is told, although the lead's event comes first."""
    lead = {"event_key": "lead.7", "event_id": "lead.7", "event_name": "Lead", "order_id": None}
    order = {"event_key": "purchase.7", "event_id": "purchase.7", "order_id": "7"}
    shop.sells(*[row | about for row, about in zip(orders(2), (lead, order), strict=True)])
    shop.sql("create table int_orders__latest as select '7' as order_id, 'paid' as financial_status")
    shop.sql(
        "create table int_events__identified as select 'lead.7' as event_key, 'leads' as source_table, "
        "'7' as source_id, null as session_id, null::timestamp as session_started_at"
    )
    told = shop.json("explain", "7")[1]
    assert ([event["event_name"] for event in told["events"]], told["order"]) == (
        ["Lead", "Purchase"],
        {"order_id": "7", "financial_status": "paid"},
    )
