"""Rows that look harmless and are not: what each of them must, and must not, lead to."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.dbt_project import build, decision, order, rows, session

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The SHA-256 of nothing (FIPS 180-4)."""

IN_CALIFORNIA = {"region": "CA", "session_id": "us"}
ORDERS: list[dict[str, Any]] = [
    order("hashed_nothing", email=EMPTY),
    order("hashed_country", country_code="4f" * 32, **IN_CALIFORNIA),
    order("misspelt_country", country_code="Itlay", **IN_CALIFORNIA),
    order("cents", total="10.00495"),
    order("dinars", total="1.23445", currency="KWD"),
    order("yen", total="99.49995", currency="JPY"),
    order("offset_after_blank", paid_at="2026-11-20 06:00:00 -0500"),
    order("user_in_url", landing_url="https://jane:pw@shop.example/a?x=1"),
    order("mail_as_url", landing_url="jane@example.com"),
    order("path_as_url", landing_url="/checkout?x=1"),
    order("good_url", landing_url="https://shop.example/a?x=1#y"),
    order("md5_phone", phone="1234567890abcdef1234567890abcdef", country_code="US", region="NY"),
    order("no_such_number", phone="1111111111", country_code="US", region="NY"),
    order("ampersand", country_code="Bosnia & Herzegovina"),
]


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Build them once; everybody agreed but the two whose country nobody knows."""
    agreed = [decision(row["customer_id"]) for row in ORDERS if not row["order_id"].endswith("_country")]
    visits = [session("us", country_code="US")]
    tables = {"orders": ORDERS, "consent": agreed, "sessions": visits}
    warehouse = build(tmp_path_factory.mktemp("odd"), tables, is_tested=True)
    found = rows(
        warehouse,
        "select events.*, outbox.hold_reason from fct_conversion_events as events "
        "inner join fct_conversion_outbox as outbox on outbox.event_key = events.event_key",
    )
    return {row["order_id"]: row for row in found}


def test_the_hash_of_nothing_is_no_identifier(events: dict[str, dict[str, Any]]) -> None:
    """A feed that hashes upstream leaves it for an empty e-mail; it neither leaves nor stops the build."""
    assert events["hashed_nothing"]["email_sha256"] is None


@pytest.mark.parametrize("name", ["hashed_country", "misspelt_country"])
def test_a_country_that_nobody_knows_asks_for_consent(events: dict[str, dict[str, Any]], name: str) -> None:
    """The session's country does not lend its looser rule."""
    assert (events[name]["hold_reason"], events[name]["country_code"]) == ("consent_missing", None)


@pytest.mark.parametrize(("name", "value"), [("cents", "10.00"), ("dinars", "1.234"), ("yen", "99")])
def test_money_is_rounded_once(events: dict[str, dict[str, Any]], name: str, value: str) -> None:
    """Rounded by hand, half up, from the raw amount to the minor unit."""
    assert events[name]["value"] == Decimal(value)


def test_an_offset_may_follow_a_blank(events: dict[str, dict[str, Any]]) -> None:
    """06:00 five hours behind UTC is 11:00."""
    assert str(events["offset_after_blank"]["event_at"]) == "2026-11-20 11:00:00"


def test_a_page_is_a_url_without_a_person(events: dict[str, dict[str, Any]]) -> None:
    """Only scheme, host and path leave, and nothing of what is no URL or names a user."""
    urls = {
        name: events[name]["event_source_url"] for name in ("user_in_url", "mail_as_url", "path_as_url", "good_url")
    }
    assert urls == {
        "user_in_url": None,
        "mail_as_url": None,
        "path_as_url": None,
        "good_url": "https://shop.example/a",
    }


@pytest.mark.parametrize("name", ["md5_phone", "no_such_number"])
def test_what_is_no_phone_number_is_not_hashed(events: dict[str, dict[str, Any]], name: str) -> None:
    """Hexadecimal digits, and a North American number that begins with 1."""
    assert events[name]["phone_digits_sha256"] is None


def test_a_country_may_be_written_with_an_ampersand(events: dict[str, dict[str, Any]]) -> None:
    """The sign stands for the word."""
    assert events["ampersand"]["country_code"] == "BA"


def test_ids_that_were_stored_as_floats_find_their_consent(tmp_path: Path) -> None:
    """Customer 7.0 of a column of doubles is customer 7 of the log of decisions."""
    sold = [order("a", customer_id=7.0, email="a@example.com"), order("b", customer_id=8.0, email="b@example.com")]
    log = [decision("7", "denied"), decision("8")]
    found = rows(
        build(tmp_path, {"orders": sold, "consent": log}), "select event_id, hold_reason from fct_conversion_outbox"
    )
    assert {row["event_id"]: row["hold_reason"] for row in found} == {
        "purchase.a": "consent_denied",
        "purchase.b": None,
    }
