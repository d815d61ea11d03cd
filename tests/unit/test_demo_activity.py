"""What the demo's website, app and conversations must show, judged by Python that shares nothing with the models."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

DEMO = Path(__file__).parents[2] / "seeds" / "demo"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
OF_THE_WEBSITE = {
    *("pageview", "viewcontent", "search", "addtocart", "addtowishlist", "initiatecheckout", "addpaymentinfo"),
}
OF_CONVERSATIONS = {
    *("purchase", "leadsubmitted", "initiatecheckout", "addtocart", "viewcontent", "ordercreated", "ordershipped"),
    *("orderdelivered", "ordercanceled", "orderreturned", "cartabandoned", "qualifiedlead", "ratingprovided"),
    "reviewprovided",
}
"""The names on the platform's page about conversations, read 2026-09-12."""
IDS = {
    "messenger": ("page_id", "page_scoped_user_id"),
    "whatsapp": ("whatsapp_business_account_id", "ctwa_clid"),
    "instagram": ("instagram_business_account_id", "ig_sid"),
}
Row = dict[str, str]


def read(name: str) -> list[Row]:
    """Read one table of the demo without its rehearsals."""
    with (DEMO / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row.get("is_test", "").lower() in ("", "false", "0", "no")]


def kind(row: Row) -> str:
    """Return the name without case, blanks, underscores and dashes."""
    return re.sub(r"[\s_-]", "", row["event_name"]).lower()


def test_every_event_of_the_website_is_shown_three_times() -> None:
    """Under whatever spelling; and in other spellings than the standard one, too."""
    rows = read("web_events")
    kinds = Counter(map(kind, rows))
    assert {name: kinds[name] >= 3 for name in OF_THE_WEBSITE} == dict.fromkeys(OF_THE_WEBSITE, True)
    assert sum(row["event_name"].lower() != kind(row) for row in rows) >= 5


def test_visits_and_orders_of_the_pixel_are_those_of_the_shop() -> None:
    """A session, a customer and an order that a row names are in their tables, the session with the same visitor."""
    sessions = {row["session_id"]: row["visitor_id"] for row in read("sessions")}
    with (DEMO / "orders.csv").open(encoding="utf-8", newline="") as file:
        orders = {row["order_id"]: row["customer_id"] for row in csv.DictReader(file)}
    rows = read("web_events")
    named = [row for row in rows if row["session_id"]]
    assert [row["web_event_id"] for row in named if sessions.get(row["session_id"]) != row["visitor_id"]] == []
    bought = [row for row in rows if row["order_id"]]
    assert [row["web_event_id"] for row in bought if orders[row["order_id"]] != row["customer_id"]] == []
    assert {row["customer_id"] for row in rows} - {""} <= set(orders.values())


def test_some_purchases_of_the_pixel_miss_the_orders_id() -> None:
    """Two are fired as the server sends them, four under another id or none, so that there are duplicates to find."""
    purchases = [row for row in read("web_events") if kind(row) == "purchase"]
    known = Counter(row["event_id"] == f"purchase.{row['order_id']}" for row in purchases)
    assert known == {True: 2, False: 4}


def test_the_pixel_has_repeated_and_bad_rows() -> None:
    """One id fired three times, a row without an id, a time that is none, and names that make no event."""
    rows = read("web_events")
    fired = Counter((kind(row), row["event_id"]) for row in rows if row["event_id"])
    assert sorted(fired.values())[-2:] == [1, 3]
    assert sum(row["web_event_id"] == "" for row in rows) == 1
    assert sum(not row["occurred_at"].startswith("2026-01-") for row in rows) == 1
    assert sum(kind(row) not in OF_THE_WEBSITE | {"purchase"} for row in rows) == 2


def test_the_app_tells_enough_of_six_orders() -> None:
    """Two are told without the flag or the version of the system, one is not in the shop yet, and one is told twice."""
    with (DEMO / "orders.csv").open(encoding="utf-8", newline="") as file:
        orders = {row["order_id"] for row in csv.DictReader(file) if row["channel"] == "app"}
    purchases = [row for row in read("app_events") if kind(row) == "purchase"]
    told = {row["order_id"] for row in purchases if row["os_version"] and row["advertiser_tracking_enabled"]}
    assert (len(orders), len(told & orders), len(told - orders)) == (10, 6, 1)
    assert Counter(Counter(row["order_id"] for row in purchases).values()) == {1: 8, 2: 1}


def test_the_app_has_rows_that_cannot_leave() -> None:
    """No flag or one that is none, no version, a system that nobody knows, no name, and a name of the app's own."""
    rows = [row for row in read("app_events") if kind(row) != "purchase"]
    assert sum(row["advertiser_tracking_enabled"] not in ("true", "false", "0", "1") for row in rows) == 2
    assert sum(row["platform"].lower() not in ("android", "ios") for row in rows) == 1
    assert sum(row["event_name"] == "" for row in rows) == 1
    assert sum(kind(row) == "levelreached" for row in rows) == 1


def test_conversations_show_each_channel_and_each_fault() -> None:
    """Two rows per channel that may be told, two under a name that may not, three without the ids of their channel."""
    judged: Counter[str] = Counter()
    for row in {row["message_id"]: row for row in read("messages")}.values():
        channel = row["messaging_channel"].lower()
        has_ids = channel in IDS and all(row[name] for name in IDS[channel])
        judged["invalid name" if kind(row) not in OF_CONVERSATIONS else channel if has_ids else "missing ids"] += 1
    assert judged.keys() == {*IDS, "invalid name", "missing ids"}
    assert (judged["invalid name"], judged["missing ids"]) == (2, 3)
    assert min(judged[channel] for channel in IDS) >= 2


def test_no_row_is_about_to_expire() -> None:
    """Between loading and building lie minutes: no row may cross the seven days, or begin, in half an hour."""
    limit = timedelta(days=7) - timedelta(hours=1)
    for row in [*read("web_events"), *read("app_events"), *read("messages")]:
        if row["occurred_at"].startswith("2026-"):
            found = datetime.fromisoformat(row["occurred_at"])
            age = NOW - (found if found.tzinfo else found.replace(tzinfo=UTC))
            assert age > timedelta(minutes=30)
            assert not timedelta() <= limit - age <= timedelta(minutes=30)
