"""What a policy withholds leaves nowhere: not in a request, and not on the screen."""

from __future__ import annotations

import csv
import json
from datetime import datetime

import polars as pl
import pytest

from tests.support.frames import SCHEMA, event_frame
from tests.support.repository import ROOT
from tests.support.shop import Shop, orders
from uploader.errors import QualityGateFailed
from uploader.events import EVENTS, IDENTIFIERS
from uploader.warehouse import outbox, reading
from uploader.warehouse.profile import Profile

ADDRESS = "203.0.113.77"
CLICK = "fb.1.1700000000000.canary"
HASH = "a" * 64
PERSON = {
    "client_ip": ADDRESS,
    "user_agent": "Browser/1.0",
    "fbc": CLICK,
    "email_sha256": HASH,
    "email_sha256s": [HASH],
}
ALWAYS_NEEDED = {
    *("event_key", "event_name", "event_id", "event_at", "action_source", "value", "currency"),
    *("country_code", "region_code", "messaging_channel", "event_source"),
    *("page_id", "whatsapp_business_account_id", "instagram_business_account_id"),
    *("advertiser_tracking_enabled", "application_tracking_enabled"),
}
"""What names the event, its worth and its law, the shop's own accounts, and what a person refused."""


def groups() -> list[tuple[str, str]]:
    """Return the rows of the seed: a name and a column that it withholds."""
    with (ROOT / "seeds/field_groups.csv").open(encoding="utf-8", newline="") as file:
        return [(row["field"], row["column_name"]) for row in csv.DictReader(file)]


def test_each_row_loses_what_its_own_policy_names() -> None:
    """Names are whole: fbc is not fbclid, and email_sha256 alone leaves the list of a person's addresses."""
    rows = event_frame(
        {**PERSON, "withheld_fields": " client_ip fbc "},
        {**PERSON, "withheld_fields": None},
        {**PERSON, "withheld_fields": " email_sha256 "},
        {**PERSON, "withheld_fields": " email_sha256s user_agent "},
    )
    left = outbox.withhold(rows).select(PERSON.keys()).to_dicts()
    whole = event_frame(PERSON).select(PERSON.keys()).to_dicts()[0]
    gone = [["client_ip", "fbc"], [], ["email_sha256"], ["email_sha256s", "user_agent"]]
    assert left == [whole | dict.fromkeys(names) for names in gone]


def test_withholding_changes_no_column_and_no_type() -> None:
    """A destination finds the columns that it is written for, also where all of them are withheld, or no row is due."""
    every = " " + " ".join(name for _, name in groups()) + " "
    for rows in (event_frame({**PERSON, "withheld_fields": every}), event_frame()):
        assert outbox.withhold(rows).schema == SCHEMA


def test_a_name_that_is_no_column_stops_the_run() -> None:
    """A policy that means something unknown must not be passed over."""
    with pytest.raises(QualityGateFailed, match="withholds shoe_size"):
        outbox.withhold(event_frame({"withheld_fields": " fbp shoe_size "}))


def test_every_column_can_be_withheld_or_is_always_needed() -> None:
    """A new column of the events has a place in the seed, or a reason to have none."""
    nameable = {column for _, column in groups()}
    assert nameable == set(EVENTS) - ALWAYS_NEEDED
    assert nameable <= {field for field, _ in groups()}


def test_clear_is_everything_personal_that_is_not_hashed() -> None:
    """Hashes only means: no id of a browser, a click, a device, a lead or a conversation, and no address."""
    clear = {column for field, column in groups() if field == "clear"}
    assert clear & set(IDENTIFIERS) == set()
    about_what_was_done = {
        *("order_id", "contents", "content_ids", "content_type", "num_items", "content_name", "content_category"),
        *("search_string", "registration_status", "predicted_ltv", "net_revenue", "customer_segmentation"),
        *("lead_event_source", "event_source_url", "referrer_url"),
    }
    hashed = {name for name in EVENTS if "_sha256" in name}
    assert clear == set(EVENTS) - ALWAYS_NEEDED - hashed - about_what_was_done


def test_an_email_or_phone_goes_in_all_its_variants() -> None:
    """Whoever may not get it gets it in no other spelling either."""
    for field in ("email_sha256", "phone_digits_sha256"):
        kind = field.split("_")[0]
        assert {column for name, column in groups() if name == field} == {
            name for name in EVENTS if name.startswith(f"{kind}_") and "_sha256" in name
        }


def test_no_command_lets_out_what_is_withheld(shop: Shop) -> None:
    """The request, the printed event and the story have the hash, and neither address nor click id.

    The sandbox keeps the names of what came, and no values.
    """
    shop.sells(*orders(1, **PERSON, withheld_fields=" client_ip fbc "))
    shown = shop.json("plan", "--show", "1")[1]
    told = shop.json("explain", "1")[1]["events"][0]["destinations"]["meta"]
    assert shop.run("send")[0] == 0
    (posted,) = shop.sandbox.counted("42")
    assert {"em", "client_user_agent", "client_ip_address", "fbc"} & set(posted["user_data"]) == {
        "em",
        "client_user_agent",
    }
    assert [word for word in (ADDRESS, CLICK) if word in json.dumps([shown, told])] == []
    assert shown["withheld"] == {"meta": {"client_ip": 1, "fbc": 1}}
    assert told["withheld_fields"] == ["client_ip", "fbc"]
    assert "withheld by policy: client_ip, fbc" in shop.run("explain", "1")[1]
    assert "meta: withheld by policy from events that may be sent: client_ip (1), fbc (1)" in shop.run("plan")[1]


def test_explain_says_when_a_hold_time_ends(shop: Shop) -> None:
    """An event that waits is held, and will be sent by a later build."""
    waiting = {"is_sendable": False, "hold_reason": "waiting_period", "send_after": "2026-11-20T15:00:00"}
    shop.sells(*orders(1, **waiting))
    assert "its hold time ends 2026-11-20 15:00:00 UTC" in shop.run("explain", "1")[1]
    assert shop.json("send")[1]["destinations"]["meta"]["read"] == 0


def keys(shop: Shop) -> pl.DataFrame:
    """Return what the comparison with the sent log gets, and what a verdict knows of a row."""
    profile = Profile(shop.warehouse, "main", "raw")
    with reading(profile) as connection:
        found = outbox.read_keys(connection, profile, datetime(2026, 1, 1))
        return found.with_columns(outbox.read_digests(connection, profile, found))


def test_a_verdict_does_not_hold_for_rows_that_lose_another_field(shop: Shop) -> None:
    """What the gate has judged is what leaves; and a withheld order id is none that a platform would know."""
    before = keys(shop)
    shop.sql("update fct_conversion_outbox set withheld_fields = ' order_id ' where event_key = 'purchase.1'")
    after = keys(shop)
    changed = before["row_digest"] != after["row_digest"]
    assert after.filter(changed)["event_key"].to_list() == ["purchase.1"]
    assert after.filter(changed)["order_id"].to_list() == [None]
