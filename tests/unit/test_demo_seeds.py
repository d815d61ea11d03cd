"""What the demo shop must contain, judged by a second, small implementation of the rules in plain Python.

It shares nothing with the models: a demo that says what it should, here and there, says it for one reason. The file is
longer than usual because the rules and the tests that use them stand together.
"""

from __future__ import annotations

import csv
import ipaddress
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = Path(__file__).parents[2] / "seeds" / "demo"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
COLUMNS = {
    "orders": "order_id customer_id session_id browser_event_id channel financial_status created_at paid_at"
    " cancelled_at updated_at currency subtotal discount shipping tax total email phone first_name last_name city"
    " region postal_code country_code date_of_birth gender client_ip user_agent landing_url is_test",
    "order_lines": "order_id line_number product_id title category quantity unit_price",
    "sessions": "session_id visitor_id customer_id started_at landing_url referrer_url fbp fbc client_ip"
    " user_agent country_code global_privacy_control ga_client_id",
    "consent": "consent_id subject_type subject_id purpose status recorded_at jurisdiction source",
    "payments": "payment_id order_id status amount currency confirmed_at method",
    "refunds": "refund_id order_id amount currency refunded_at",
    "leads": "lead_id stage occurred_at channel created_at platform_lead_id crm_name customer_id visitor_id session_id"
    " browser_event_id value currency predicted_ltv registration_status content_name content_category email phone"
    " first_name last_name city region postal_code country_code date_of_birth gender client_ip user_agent landing_url"
    " is_test",
    "subscriptions": "subscription_id change changed_at period plan_name amount currency predicted_ltv channel order_id"
    " customer_id visitor_id session_id browser_event_id email phone first_name last_name city region postal_code"
    " country_code date_of_birth gender client_ip user_agent landing_url is_test",
    "web_events": "web_event_id event_name occurred_at event_id session_id visitor_id customer_id order_id page_url"
    " referrer_url value currency product_id quantity unit_price content_ids content_type num_items content_name"
    " content_category search_string email phone client_ip user_agent fbp fbc country_code region is_test",
    "app_events": "app_event_id event_name occurred_at platform event_id os_version advertiser_tracking_enabled"
    " application_tracking_enabled package_name app_version_short app_version_long device_model locale"
    " timezone_abbreviation carrier screen_width screen_height screen_density cpu_cores storage_gb free_storage_gb"
    " device_timezone madid anon_id vendor_id install_referrer installer_package campaign_ids customer_id visitor_id"
    " order_id value currency product_id quantity unit_price content_ids content_type num_items search_string email"
    " phone country_code region client_ip is_test",
    "messages": "message_id event_name occurred_at messaging_channel page_id page_scoped_user_id"
    " whatsapp_business_account_id ctwa_clid instagram_business_account_id ig_sid customer_id order_id value currency"
    " product_id quantity unit_price content_ids email phone country_code region is_test",
}
REASONS = (
    *("invalid_key", "duplicate_event_id", "invalid_time", "order_cancelled", "order_refunded"),
    *("payment_unconfirmed", "invalid_value", "invalid_currency", "consent_missing", "consent_denied"),
    *("consent_withdrawn", "missing_app_data", "no_match_key", "expired"),
)
COUNTRIES = {
    "US": "US USA UNITEDSTATES UNITEDSTATESOFAMERICA", "CA": "CA CAN CANADA", "BR": "BR BRA BRASIL BRAZIL",
    "GB": "GB GBR UK UNITEDKINGDOM GREATBRITAIN ENGLAND", "DE": "DE DEU GERMANY DEUTSCHLAND",
    "FR": "FR FRA FRANCE", "ES": "ES ESP ESPAÑA SPAIN", "IT": "IT ITA ITALIA", "JP": "JP JPN JAPAN 日本",
    "AU": "AU AUS AUSTRALIA", "KW": "KW KWT KUWAIT", "NL": "NL NETHERLANDS NEDERLAND",
    "CH": "CH CHE SWITZERLAND SCHWEIZ",
}  # fmt: skip
ALIAS = {name: code for code, names in COUNTRIES.items() for name in names.split()}
US_STATES = {
    *("CA", "TX", "CO", "OR", "CT", "NJ", "VA", "UT", "NY", "WA", "IL", "MA", "MO", "NC", "HI", "DC"),
    *("CALIFORNIA", "TEXAS", "COLORADO", "NEW JERSEY", "NEW YORK", "WASHINGTON", "ILLINOIS"),
    *("MASSACHUSETTS", "NORTH CAROLINA"),
}
CURRENCIES = {"USD", "CAD", "GBP", "EUR", "BRL", "JPY", "AUD", "KWD", "CHF"}
NOTHING_LESS = Decimal("Infinity")
Row = dict[str, str]


def read(name: str) -> list[Row]:
    """Read one table of the demo, with the blanks around its values gone."""
    with (DEMO / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [{key: value.strip() for key, value in row.items()} for row in csv.DictReader(file)]


def moment(text: str) -> datetime | None:
    """Read a time, in UTC unless it says otherwise; None when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def number(text: str) -> Decimal | None:
    """Read a finite number, or None."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


class Shop:
    """The demo's tables, and why an order of theirs is held."""

    def __init__(self) -> None:
        self.orders = list({row["order_id"]: row for row in sorted(read("orders"), key=updated)}.values())
        self.sessions = {row["session_id"]: row for row in read("sessions")}
        self.paid = {row["order_id"] for row in read("payments") if row["status"].lower() == "succeeded"}
        self.told = {row["order_id"] for row in read("app_events") if row["event_name"] == "Purchase" and is_told(row)}
        self.consent = defaultdict(list)
        for row in read("consent"):
            if row["purpose"].lower() == "marketing":
                decision = (moment(row["recorded_at"]), row["status"].lower() != "granted")
                self.consent[row["subject_type"], row["subject_id"]].append(decision)
        self.events = [row for row in self.orders if row["paid_at"] and not is_test(row)]
        self.firsts: dict[str, str] = {}
        for row in sorted(self.events, key=lambda row: (moment(row["paid_at"]) or NOW, row["order_id"])):
            self.firsts.setdefault(event_id(row), row["order_id"])

    def reason(self, row: Row) -> str | None:
        """Return the first reason that holds."""
        return next((reason for reason, holds in self.judged(row) if holds), None)

    def judged(self, row: Row) -> Iterator[tuple[str, bool]]:
        """Yield every reason in its order, and whether it holds."""
        paid_at, status, total = moment(row["paid_at"]), row["financial_status"].lower(), number(row["total"])
        yield "invalid_key", not 1 <= len(row["order_id"]) <= 100
        yield "duplicate_event_id", self.firsts[event_id(row)] != row["order_id"]
        yield "invalid_time", paid_at is None
        yield "order_cancelled", row["cancelled_at"] != "" or status == "voided"
        yield "order_refunded", status == "refunded" or self.given_back(row)
        is_confirmed = status in ("paid", "partially_refunded") and row["order_id"] in self.paid
        yield "payment_unconfirmed", not is_confirmed
        yield "invalid_value", total is None or total < 0
        yield "invalid_currency", row["currency"].upper() not in CURRENCIES
        assert paid_at is not None
        known = [one for one in self.decisions(row) if one[0] <= NOW]
        at_event = max((one for one in known if one[0] <= paid_at), default=None)
        yield "consent_missing", at_event is None and not is_opt_out(row)
        yield "consent_denied", at_event is not None and at_event[1]
        yield "consent_withdrawn", any(is_denied and at > paid_at for at, is_denied in known)
        yield "missing_app_data", row["channel"].lower() == "app" and row["order_id"] not in self.told
        yield "no_match_key", not self.can_match(row)
        limit = timedelta(days=62 if row["channel"].lower() == "pos" else 7) - timedelta(hours=1)
        yield "expired", NOW - paid_at > limit

    def decisions(self, row: Row) -> list[tuple[datetime, bool]]:
        """Return when the order's people decided, and whether they denied; of two at once the denial is greater."""
        visitor = self.session(row).get("visitor_id", "")
        return [*self.consent["customer", row["customer_id"]], *self.consent["visitor", visitor]]

    def given_back(self, row: Row) -> bool:
        """Say whether refunds in the order's currency, each counted once, reach its total."""
        refunds = {one["refund_id"]: one for one in read("refunds") if one["order_id"] == row["order_id"]}.values()
        amounts = [number(one["amount"]) for one in refunds if one["currency"].upper() in ("", row["currency"].upper())]
        counted = [amount for amount in amounts if amount and amount > 0]
        return bool(counted) and sum(counted) >= (number(row["total"]) or NOTHING_LESS)

    def session(self, row: Row) -> Row:
        """Return the order's session, else the customer's latest within a week before it."""
        if row["session_id"] in self.sessions:
            return self.sessions[row["session_id"]]
        created = moment(row["created_at"])
        mine = (s for s in self.sessions.values() if s["customer_id"] == row["customer_id"] != "")
        near = [s for s in mine if timedelta() <= created - moment(s["started_at"]) <= timedelta(days=7)]
        return max(near, key=lambda s: moment(s["started_at"]), default={})

    def can_match(self, row: Row) -> bool:
        """Say whether anything but the broad identifiers is there."""
        session = self.session(row)
        cookies = re.search(r"fb\.\d\.\d{10,13}\.\S|fbclid=\w", " ".join(session.get(k, "") for k in
                            ("fbp", "fbc", "landing_url")))  # fmt: skip
        has_address = row["channel"].lower() == "web" and (row["client_ip"] or session.get("client_ip"))
        has_email = re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+|[0-9a-f]{64}", row["email"])
        has_name = row["first_name"].isalpha() or row["last_name"].isalpha()
        has_phone = sum(map(str.isdigit, row["phone"])) > 6
        return bool(row["customer_id"] or cookies or has_address or has_email or has_name or has_phone)


def updated(row: Row) -> datetime:
    """Return when the row was last written."""
    found = moment(row["updated_at"])
    assert found is not None
    return found


def is_test(row: Row) -> bool:
    """Say whether the order is a rehearsal."""
    return row["is_test"].lower() not in ("false", "0", "no", "")


def is_told(row: Row) -> bool:
    """Say whether a row of the app knows the system, its version, and whether the person may be tracked."""
    flag = row["advertiser_tracking_enabled"].lower()
    return row["platform"].lower() in ("android", "ios") and row["os_version"] != "" and flag in ("true", "0", "1")


def event_id(row: Row) -> str:
    """Return the id that browser and server share."""
    return row["browser_event_id"] or f"purchase.{row['order_id']}"


def country(row: Row) -> str | None:
    """Return the country's code, if the order names one that exists."""
    return ALIAS.get(re.sub(r"[^\w]", "", row["country_code"]).upper())


def is_opt_out(row: Row) -> bool:
    """Say whether silence is consent enough where the order was placed."""
    return country(row) == "US" and row["region"].upper() in US_STATES


@pytest.fixture(scope="module")
def shop() -> Shop:
    """Read the demo shop once."""
    return Shop()


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_the_contract(name: str) -> None:
    """Each file has exactly the columns of its raw table, in the documented order."""
    with (DEMO / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == COLUMNS[name].split()


def test_every_reason_occurs_at_least_twice(shop: Shop) -> None:
    """Whoever looks for an example of a hold reason finds two."""
    found = Counter(map(shop.reason, shop.events))
    assert {reason: found[reason] >= 2 for reason in REASONS} == dict.fromkeys(REASONS, True)


def test_most_orders_can_be_sent(shop: Shop) -> None:
    """At least six of ten events are sendable, and few of them lack a match key."""
    found = Counter(map(shop.reason, shop.events))
    assert found[None] / len(shop.events) >= 0.6
    assert found["no_match_key"] / len(shop.events) <= 0.2


def test_some_orders_make_no_event(shop: Shop) -> None:
    """There are unpaid orders and test orders."""
    assert sum(row["paid_at"] == "" for row in shop.orders) >= 10
    assert sum(map(is_test, shop.orders)) >= 5


def test_the_shop_sells_everywhere(shop: Shop) -> None:
    """Ten countries, several US states, and 30 sendable orders in each of the five main currencies."""
    sendable = [row for row in shop.events if shop.reason(row) is None]
    assert len({country(row) for row in sendable} - {None}) >= 10
    assert len({row["region"].upper() for row in sendable if country(row) == "US"} & US_STATES) >= 8
    currencies = Counter(row["currency"].upper() for row in shop.events)
    assert min(currencies[name] for name in ("USD", "EUR", "GBP", "BRL", "JPY")) >= 30
    assert {"KWD", "CAD", "AUD"} <= currencies.keys()


def test_old_and_future_events(shop: Shop) -> None:
    """Store sales older than a week are sendable, and some events lie in the near future."""
    sendable = [(row, moment(row["paid_at"])) for row in shop.events if shop.reason(row) is None]
    old = [row["channel"].lower() for row, paid_at in sendable if NOW - paid_at > timedelta(days=8)]
    assert len(old) >= 10
    assert set(old) == {"pos"}
    assert sum(paid_at > NOW for _, paid_at in sendable) >= 2


def test_no_decision_depends_on_the_minute(shop: Shop) -> None:
    """Between loading and building lie minutes: no event may expire, and no future begin, in half an hour."""
    for row in shop.events:
        paid_at = moment(row["paid_at"])
        limit = timedelta(days=62 if row["channel"].lower() == "pos" else 7) - timedelta(hours=1)
        if paid_at is not None:
            assert not timedelta() <= limit - (NOW - paid_at) <= timedelta(minutes=30), row["order_id"]
            assert not timedelta(minutes=-30) <= NOW - paid_at <= timedelta(), row["order_id"]


def test_ids_are_unique() -> None:
    """Consent, payments and sessions have unique ids; lines are unique within an order."""
    for name, key in (("consent", "consent_id"), ("payments", "payment_id"), ("sessions", "session_id")):
        ids = [row[key] for row in read(name)]
        assert len(ids) == len(set(ids))
    lines = [(row["order_id"], row["line_number"]) for row in read("order_lines")]
    assert len(lines) == len(set(lines))


def test_repeated_orders_have_one_latest_row() -> None:
    """Some orders stand twice, with different times of writing."""
    rows = sorted((row["order_id"], updated(row)) for row in read("orders"))
    repeats = [(one, two) for one, two in pairwise(rows) if one[0] == two[0]]
    assert len(repeats) >= 4
    assert all(one[1] < two[1] for one, two in repeats)


def test_times_are_iso_or_unreadable_everywhere() -> None:
    """What Python cannot read as ISO 8601 begins with no date either: the demo's loader leaves it alone."""
    for name, columns in COLUMNS.items():
        for row in read(name):
            for column in columns.split():
                if column.endswith("_at") and row[column] and moment(row[column]) is None:
                    assert not re.match(r"20\d\d-(0\d|1[0-2])-", row[column]), row[column]


def test_few_likely_duplicates_and_no_outliers(shop: Shop) -> None:
    """The default thresholds hold: one customer's same value within ten minutes, and values off the scale."""
    seen: dict[tuple[str, ...], datetime] = {}
    again, values = 0, defaultdict(list)
    for row in sorted(shop.events, key=lambda row: moment(row["paid_at"]) or NOW):
        paid_at, key = moment(row["paid_at"]) or NOW, (row["customer_id"], row["total"], row["currency"])
        again += bool(row["customer_id"]) and paid_at - seen.get(key, datetime.min.replace(tzinfo=UTC)) <= (
            timedelta(minutes=10)
        )
        seen[key] = paid_at
        values[row["currency"].upper()].append(number(row["total"]))
    assert 2 <= again <= 0.05 * len(shop.events)
    for amounts in values.values():
        known = sorted(amount for amount in amounts if amount)
        assert not known or max(known) < 1000 * known[len(known) // 2]


def test_nobody_is_real() -> None:
    """Addresses are in the blocks and domains that are reserved for documents."""
    blocks = [ipaddress.ip_network(block) for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    blocks.append(ipaddress.ip_network("2001:db8::/32"))
    for row in [*read("orders"), *read("sessions"), *read("leads"), *read("subscriptions")]:
        for address in filter(None, re.split(r",\s*", row["client_ip"].replace("unknown", ""))):
            assert any(ipaddress.ip_address(address) in block for block in blocks), address
        domains = re.findall(r"(?<=@)[\w.]+", row.get("email", ""))
        assert all(re.search(r"(^|\.)example(\.com|\.net|\.org)?$", domain.lower()) for domain in domains), domains


def test_the_anchor_is_documented() -> None:
    """The loader finds the moment that becomes 'now' in the description of the seeds."""
    described = yaml.safe_load((DEMO / "_demo.yml").read_text(encoding="utf-8"))
    assert {seed["name"] for seed in described["seeds"]} == set(COLUMNS)
    assert all("2026-01-15T12:00:00Z" in seed["description"] for seed in described["seeds"])


def test_leads_and_subscriptions_show_every_kind() -> None:
    """Each event of a lead, three stages of a CRM, and every change of a subscription, with some that make no event."""
    leads, changes = read("leads"), read("subscriptions")
    crm = Counter(row["stage"] for row in leads if row["channel"].lower() == "crm")
    assert crm.keys() >= {"Lead", "QualifiedLead", "ClosedWon"}
    assert min(crm["QualifiedLead"], crm["ClosedWon"]) >= 2
    words = {row["stage"].lower() for row in leads if row["channel"].lower() != "crm"}
    assert words >= {"lead", "registered", "contact", "booked", "submit application", "newsletter"}
    assert {row["change"].lower() for row in changes} >= {"trial_started", "subscribed", "renewed", "cancelled"}
    assert sum(map(is_test, [*leads, *changes])) >= 2
