"""Bad input reaches the marts with a reason, and never stops the build."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.dbt_project import COLUMNS, build, dbt, decision, load, order, rows, session

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
    "ipv6": {"session_id": "ipv6"},
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
    orders = [order(name, **{"customer_id": "agreed"} | changes) for name, changes in odd.items()]
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


@pytest.fixture(scope="module")
def crooked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the crooked shop once."""
    return build(tmp_path_factory.mktemp("crooked"), crooked_shop())


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
        ("orders", "paid_at"): 5,
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
    zone = {"tzinfo": UTC}
    plain = {"IS_TEST": False, "Updated_At": datetime(2026, 11, 20), "Channel": "web", "shoe_size": 43}
    plain |= {"Created_At": datetime(2026, 11, 20, 10, **zone), "PAID_AT": datetime(2026, 11, 20, 11, **zone)}
    plain |= {"financial_status": "paid", "Currency": "EUR", "Customer_ID": 7, "postal_code": 1234}
    orders = [
        plain | {"Order_ID": 1, "Total": Decimal("119.00"), "tax": 19.0, "shipping": float("nan")},
        plain | {"Order_ID": 2, "Total": Decimal("50.00"), "tax": None, "shipping": 4.95},
        plain | {"Order_ID": 3, "Total": Decimal("1.00"), "tax": 0.0, "shipping": 0.0, "IS_TEST": True},
    ]
    payment = {"payment_id": 1, "order_id": 1, "status": "succeeded", "amount": Decimal("119.00"), "currency": "EUR"}
    line = {"order_id": 1, "line_number": 1, "product_id": 11, "quantity": 2.0, "unit_price": Decimal("59.50")}
    granted = decision("7") | {"subject_id": 7, "recorded_at": datetime(2026, 11, 1, **zone)}
    required = ("consent_id", "subject_type", "subject_id", "purpose", "status", "recorded_at")
    consent = {name: granted[name] for name in required}
    return {"orders": orders, "payments": [payment], "order_lines": [line], "consent": [consent]}


def test_typed_tables_are_read_like_text(tmp_path: Path) -> None:
    """Decimals, doubles, booleans and timestamps with zone; other cases; optional columns absent; a value's basis."""
    warehouse = build(tmp_path, typed_shop(), {"value_basis": "net_of_tax"})
    query = "select order_id, hold_reason, value, event_at, num_items from fct_conversion_outbox"
    found = rows(warehouse, f"{query} natural join fct_conversion_events order by order_id")
    paid_at = datetime(2026, 11, 20, 11)
    assert [tuple(row.values()) for row in found] == [
        ("1", None, Decimal("100.0000"), paid_at, 2),
        ("2", "payment_unconfirmed", Decimal("50.0000"), paid_at, None),
    ]
    assert rows(warehouse, "select order_id from audit_orders_without_event") == [{"order_id": "3"}]


def test_empty_tables_make_empty_marts(tmp_path: Path) -> None:
    """A shop that has sold nothing yet builds and passes all tests."""
    warehouse = build(tmp_path, {})
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


def test_an_unknown_value_basis_stops_the_build(crooked: Path) -> None:
    """The message names the words that there are."""
    done = dbt(crooked, "compile", "--select", "int_events__purchase", "--vars", json.dumps({"value_basis": "gross"}))
    assert done.returncode != 0
    assert "It can be one of: total, net_of_tax, net_of_tax_and_shipping, subtotal" in done.stdout


def test_freshness_reads_times_in_text(crooked: Path) -> None:
    """The newest time that can be read counts, whatever else stands in the column."""
    done = dbt(crooked, "source", "freshness", "--output", str(crooked.parent / "sources.json"))
    assert "Runtime Error" not in done.stdout
    results = json.loads((crooked.parent / "sources.json").read_text(encoding="utf-8"))["results"]
    newest = {result["unique_id"].split(".")[-1]: result["max_loaded_at"][:10] for result in results}
    assert newest == {"orders": "2026-11-20", "sessions": "2026-11-20", "consent": "2026-11-20"}


def test_unit_tests_hold_on_any_day(tmp_path: Path) -> None:
    """Dbt's unit tests need no raw rows, no optional table, and no particular moment."""
    warehouse = build(tmp_path, {})
    done = dbt(warehouse, "test", "--select", "test_type:unit", now="2031-01-01T00:00:00+14:00")
    assert done.returncode == 0, done.stdout
