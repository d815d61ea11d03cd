"""Bad input reaches the marts with a reason, and never stops the build."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.crooked_shop import HELD, SENDABLE, crooked_shop
from tests.support.dbt_project import build, dbt, decision, load, order, rows


@pytest.fixture(scope="module")
def crooked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the crooked shop once."""
    return build(tmp_path_factory.mktemp("crooked"), crooked_shop(), is_tested=True)


def test_every_fault_has_its_reason(crooked: Path) -> None:
    """Each order is held for what is wrong with it, and the odd but honest ones are not held."""
    expected = {f"purchase.{name}": reason for reason, orders in HELD.items() for name in orders}
    expected |= {f"purchase.{name}": None for name in SENDABLE}
    # A made-up key never meets a real one, and no text of the key is lost but NUL.
    expected |= {
        "purchase.?1": "invalid_key",
        "purchase.?2": "invalid_key",
        "purchase.??1": None,
        "purchase.twice": None,
    }
    found = rows(crooked, "select event_key, hold_reason from fct_conversion_outbox")
    assert {row["event_key"]: row["hold_reason"] for row in found} == expected
    assert len(found) == len(expected)


def test_orders_without_event_are_named(crooked: Path) -> None:
    """A test order comes before an unpaid one; a flag that cannot be read counts as set."""
    found = rows(crooked, "select order_id, reason from audit_orders_without_event")
    assert {row["order_id"]: row["reason"] for row in found} == {
        "unpaid": "not_paid",
        "unpaid_test": "test_order",
        "odd_flag": "test_order",
    }


def test_unreadable_values_are_counted(crooked: Path) -> None:
    """Every column that holds unreadable values is named with their number and one key."""
    found = rows(crooked, "select * from audit_unreadable_values")
    counts = {(row["table_name"], row["column_name"]): row["unreadable_count"] for row in found}
    assert counts == {
        ("orders", "paid_at"): 7,
        ("orders", "cancelled_at"): 1,
        ("orders", "created_at"): 1,
        ("orders", "updated_at"): 1,
        ("orders", "total"): 6,
        ("orders", "is_test"): 1,
        ("order_lines", "quantity"): 2,
        ("order_lines", "unit_price"): 1,
        ("sessions", "started_at"): 1,
        ("consent", "recorded_at"): 2,
    }
    assert next(row["example_key"] for row in found if row["column_name"] == "is_test") == "odd_flag"


def test_values_are_rounded_half_up_to_the_minor_unit(crooked: Path) -> None:
    """By the digits of the currency; the later of two rows of an order wins."""
    found = rows(crooked, "select order_id, value, currency from fct_conversion_events where value is not null")
    values = {row["order_id"]: (row["value"], row["currency"]) for row in found}
    assert values["half_cent"] == (Decimal("10.0100"), "EUR")
    assert values["exponent"] == (Decimal("10.0000"), "EUR")
    assert values["yen"] == (Decimal("100.0000"), "JPY")
    assert values["dinar"] == (Decimal("1.2350"), "KWD")
    assert values["twice"] == (Decimal("1.0000"), "EUR")


def test_times_without_zone_are_utc(crooked: Path) -> None:
    """An offset is honoured, and none means UTC."""
    found = rows(crooked, "select distinct event_at from fct_conversion_events where order_id in ('offset', 'no_zone')")
    assert found == [{"event_at": datetime(2026, 11, 20, 11)}]


def test_what_is_malformed_is_left_out(crooked: Path) -> None:
    """Ids and addresses that are not well-formed are NULL, and well-formed ones stay."""
    columns = "order_id, email_sha256, client_ip, fbp, fbc, event_source_url"
    found = {row["order_id"]: row for row in rows(crooked, f"select {columns} from fct_conversion_events")}
    malformed = ("client_ip", "fbp", "fbc", "event_source_url")
    assert [found["odd_urls"][name] for name in malformed] == [None] * 4
    assert found["country_only"]["email_sha256"] is None
    assert found["ipv6"]["client_ip"] == "2001:db8::0:1"
    assert found["ipv6"]["fbp"] == "fb.1.1700000000000.1"
    assert found["ipv6"]["fbc"] == f"fb.1.{int(datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp())}000.AbC"


def test_only_lines_that_say_what_and_how_many_are_items(crooked: Path) -> None:
    """A price may be missing, a product and a quantity may not; a repeated line is one."""
    query = "select contents, content_ids, content_type, num_items from fct_conversion_events where order_id = '{}'"
    free, other = rows(crooked, query.format("free"))[0], rows(crooked, query.format("yen"))[0]
    assert [(item["id"], item["quantity"], item["item_price"]) for item in free["contents"]] == [
        ("p1", 2, Decimal("9.9900")),
        ("p2", 1, None),
    ]
    assert (free["content_ids"], free["content_type"], free["num_items"]) == (["p1", "p2"], "product", 3)
    assert set(other.values()) == {None}


def test_repeated_ids_are_named(crooked: Path) -> None:
    """The warnings leave tables that name the orders."""
    assert rows(crooked, "select order_id from repeated_order_ids") == [{"order_id": "twice"}]
    assert {row["event_key"] for row in rows(crooked, "select event_key from repeated_event_ids")} == {
        "purchase.second_of_two",
        "purchase.timeless_of_two",
    }


def typed_shop() -> dict[str, list[dict[str, Any]] | None]:
    """Return a shop with typed columns in other cases and orders, more than are read and fewer than could be."""
    plain = {"IS_TEST": False, "Updated_At": datetime(2026, 11, 20), "Channel": "web", "shoe_size": 43}
    plain |= {"Created_At": datetime(2026, 11, 20, 10, tzinfo=UTC), "PAID_AT": datetime(2026, 11, 20, 11, tzinfo=UTC)}
    plain |= {"financial_status": "paid", "Currency": "EUR", "Customer_ID": 7, "postal_code": 1234}
    orders = [
        plain | {"Order_ID": 1, "Total": Decimal("119.00"), "tax": 19.0, "shipping": float("nan")},
        plain | {"Order_ID": 2, "Total": Decimal("50.00"), "tax": None, "shipping": 4.95},
        plain | {"Order_ID": 3, "Total": Decimal("1.00"), "tax": 0.0, "shipping": 0.0, "IS_TEST": True},
    ]
    payment = {"payment_id": 1, "order_id": 1, "status": "succeeded", "amount": Decimal("119.00"), "currency": "EUR"}
    line = {"order_id": 1, "line_number": 1, "product_id": 11, "quantity": 2.0, "unit_price": Decimal("59.50")}
    granted = decision("7") | {"subject_id": 7, "recorded_at": datetime(2026, 11, 1, tzinfo=UTC)}
    required = ("consent_id", "subject_type", "subject_id", "purpose", "status", "recorded_at")
    consent = {name: granted[name] for name in required}
    return {"orders": orders, "payments": [payment], "order_lines": [line], "consent": [consent]}


def test_typed_tables_are_read_like_text(tmp_path: Path) -> None:
    """Decimals, doubles, booleans and timestamps with zone; other cases; optional columns absent."""
    warehouse = build(tmp_path, typed_shop())
    query = "select order_id, hold_reason, value, event_at, num_items from fct_conversion_outbox"
    found = rows(warehouse, f"{query} natural join fct_conversion_events order by order_id")
    paid_at = datetime(2026, 11, 20, 11)
    assert [tuple(row.values()) for row in found] == [
        ("1", None, Decimal("119.0000"), paid_at, 2),
        ("2", "payment_unconfirmed", Decimal("50.0000"), paid_at, None),
    ]
    assert rows(warehouse, "select order_id from audit_orders_without_event") == [{"order_id": "3"}]


def test_empty_tables_build_on_any_day(tmp_path: Path) -> None:
    """A shop that has sold nothing passes all tests; unit tests need no rows, no optional table, no certain moment."""
    warehouse = tmp_path / "warehouse.duckdb"
    load(warehouse, {})
    done = dbt(warehouse, "build", now="2031-01-01T00:00:00+14:00")
    assert done.returncode == 0, done.stdout
    assert "deprecat" not in done.stdout.lower()
    assert rows(warehouse, "select * from fct_conversion_outbox") == []
    assert rows(warehouse, "select * from build_failures") == []


def test_missing_columns_are_named_at_once(tmp_path: Path) -> None:
    """One message per table names all of its missing columns, and the failure is on record until a run passes."""
    warehouse = tmp_path / "warehouse.duckdb"
    lacking = {name: value for name, value in order("1").items() if name not in ("order_id", "total", "email")}
    load(warehouse, {"orders": [lacking], "sessions": None})
    done = dbt(warehouse, "run", "--select", "stg_raw__orders", "stg_raw__sessions")
    assert done.returncode == 1
    assert "lacks required columns: order_id, total. Add them" in done.stdout
    assert '"sessions" is missing. Load it' in done.stdout
    failed = {row["unique_id"] for row in rows(warehouse, "select unique_id from build_failures")}
    assert failed == {"model.conversions.stg_raw__orders", "model.conversions.stg_raw__sessions"}
    load(warehouse, {"orders": [order("1")], "sessions": None})
    dbt(warehouse, "run", "--select", "stg_raw__orders")
    failed = {row["unique_id"] for row in rows(warehouse, "select unique_id from build_failures")}
    assert failed == {"model.conversions.stg_raw__sessions"}


def test_freshness_reads_times_in_text(crooked: Path) -> None:
    """The newest time that can be read counts, whatever else stands in the column."""
    done = dbt(crooked, "--write-json", "source", "freshness", "--output", str(crooked.parent / "sources.json"))
    assert "Runtime Error" not in done.stdout
    results = json.loads((crooked.parent / "sources.json").read_text(encoding="utf-8"))["results"]
    newest = {result["unique_id"].split(".")[-1]: result["max_loaded_at"][:10] for result in results}
    assert newest == {"orders": "2026-11-20", "sessions": "2026-11-20", "consent": "2026-11-20"}


def test_an_unknown_value_basis_stops_the_build(crooked: Path) -> None:
    """The message names the words that there are."""
    done = dbt(crooked, "compile", "--select", "int_events__purchase", "--vars", json.dumps({"value_basis": "gross"}))
    assert done.returncode != 0
    assert "It can be one of: total, net_of_tax, net_of_tax_and_shipping, subtotal" in done.stdout
