"""Google Analytics 4: what its documents say beside the events and answers of the golden files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.accounts import TOKEN as SECRET
from tests.support.accounts import account
from tests.support.frames import event_frame
from uploader.destinations.ga4 import DESTINATION
from uploader.encode import encode
from uploader.sandbox.platforms import Access
from uploader.sandbox.platforms import ga4 as stand_in
from uploader.sandbox.received import Upload
from uploader.sandbox.wire import Call

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
TOKEN = "sandbox-token"
EMAIL = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"
PHONE = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"
PURCHASE = {"name": "purchase", "params": {"transaction_id": "1", "value": 5, "currency": "EUR"}}
BODY = {"client_id": "7.8", "timestamp_micros": 1_795_176_000_000_000, "events": [PURCHASE]}
QUERY = {"measurement_id": "G-ABC123", "api_secret": TOKEN}


def _payload(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode(event_frame(row), DESTINATION.body(account("ga4"))).payloads()[0])
    return found


def _judged(body: object, path: str = "/mp/collect", **query: str) -> Upload:
    """Let the stand-in judge a request."""
    platform = stand_in.Platform(Access(TOKEN, frozenset({"G-ABC123"}), "v26.0"))
    return platform.judge(Call("POST", path, QUERY | query, {}, json.dumps(body).encode()), NOW, "t", None)


def _with(**parameters: Any) -> dict[str, Any]:
    """Return a request whose purchase has other parameters; None takes one away."""
    changed = {key: value for key, value in (PURCHASE["params"] | parameters).items() if value is not None}
    return BODY | {"events": [PURCHASE | {"params": changed}]}


def test_a_request_is_the_event_as_it_is() -> None:
    """The stream stands in the address, the secret in a part of it that is shown to nobody."""
    request = DESTINATION.request(account("ga4", {"dataset_id": "G-ABC123"}), memoryview(b'{"client_id":"7.8"}'))
    assert request.url == "https://www.google-analytics.com/mp/collect?measurement_id=G-ABC123"
    assert request.body == b'{"client_id":"7.8"}'
    assert {name: secret.reveal() for name, secret in request.secret_query.items()} == {"api_secret": SECRET}
    assert not request.secret_headers


def test_a_rehearsal_goes_to_the_server_that_only_checks() -> None:
    """And asks it to be strict; what really leaves does not."""
    rehearsal = account("ga4", {"dataset_id": "G-ABC123", "test_event_code": "any"})
    request = DESTINATION.request(rehearsal, b"{}")
    assert request.url == "https://www.google-analytics.com/debug/mp/collect?measurement_id=G-ABC123"
    checked = json.loads(encode(event_frame({}), DESTINATION.body(rehearsal)).payloads()[0])
    assert checked["validation_behavior"] == "ENFORCE_RECOMMENDATIONS"
    assert "validation_behavior" not in _payload({})


@pytest.mark.parametrize("base", ["https://region1.google-analytics.com", "https://tags.example.com/analytics"])
def test_it_can_go_by_the_european_union_or_ones_own_server(base: str) -> None:
    """The path stays the same."""
    mine = replace(account("ga4", {"dataset_id": "G-1"}), base_url=base)
    assert DESTINATION.request(mine, b"{}").url == f"{base}/mp/collect?measurement_id=G-1"


def test_a_request_carries_one_event_that_never_comes_twice() -> None:
    """A request belongs to one browser, and a repeated event counts again."""
    assert DESTINATION.limits.events == 1
    assert DESTINATION.windows.dedup == timedelta()


@pytest.mark.parametrize("name", sorted(set(DESTINATION.event_names.values())))
def test_every_name_is_one_that_counts(name: str) -> None:
    """It has the form of a name, and is not one that Google Analytics keeps for itself."""
    assert stand_in.NAME.fullmatch(name)
    assert not stand_in.RESERVED.fullmatch(name)


@pytest.mark.parametrize(
    "name",
    [
        *("Level Up", "1st", "größe", "_private", "a" * 41, "", "session_start", "first_visit", "error", "app_install"),
        *("ad_click", "dynamic_link_app_open", "firebase_campaign", "notification_open", "screen_view", "ga_x"),
    ],
)
def test_a_name_that_would_be_thrown_away_waits_for_another(name: str) -> None:
    """Nobody would be told of it; a setting gives the event a name that counts."""
    frame = event_frame({"event_name": name})
    assert frame.select(DESTINATION.place(account("ga4"))).item() is None
    mine = account("ga4", {"events": {name: "level_up"}})
    assert frame.select(DESTINATION.place(mine)).item() == ""
    assert DESTINATION.missing(name, "app").startswith(f"destinations.ga4.events.{name} ")


def test_a_name_of_the_right_form_goes_as_it_is() -> None:
    """What nobody has a name for is an event of the user's own."""
    assert _payload({"event_name": "TrialEnded"})["events"][0]["name"] == "TrialEnded"


@pytest.mark.parametrize(
    ("normalized", "digest", "column", "key"),
    [
        ("alexz@example.com", EMAIL, "email_gmail_sha256", "sha256_email_address"),
        ("+18005550100", PHONE, "phone_e164_sha256", "sha256_phone_number"),
    ],
)
def test_identifiers_are_hashed_as_documented(normalized: str, digest: str, column: str, key: str) -> None:
    """Google's own examples, from the column with that rule and from no other."""
    assert hashlib.sha256(normalized.encode()).hexdigest() == digest
    others = dict.fromkeys(("email_sha256", "email_microsoft_sha256", "phone_digits_sha256"), "0" * 64)
    assert _payload(others | {column: digest})["user_data"] == {key: [digest]}


@pytest.mark.parametrize(
    ("purpose", "at_event", "as_of", "is_claimed"),
    [
        ("marketing", "granted", "granted", True),
        ("marketing", None, "granted", False),
        ("marketing", "granted", None, False),
        ("marketing", "granted", "denied", False),
        ("analytics", "granted", "granted", False),
    ],
)
def test_consent_to_statistics_is_none_to_advertising(
    purpose: str, at_event: str | None, as_of: str | None, is_claimed: bool
) -> None:
    """It is claimed where marketing was agreed to, at the event and ever since; else the browser's choice counts."""
    row = {"consent_purpose": purpose, "consent_at_event": at_event, "consent_at_as_of": as_of}
    both = {"ad_user_data": "GRANTED", "ad_personalization": "GRANTED"}
    assert _payload(row).get("consent") == (both if is_claimed else None)


def test_amounts_are_numbers_and_pages_have_their_length() -> None:
    """A text would not be added up; an address is cut where Google Analytics would throw it away."""
    row = {"value": "39.98", "contents": [{"id": "A", "quantity": 2, "item_price": "19.99"}]}
    pages = {"event_source_url": "https://a.example/" + "x" * 2000, "referrer_url": "https://b.example/" + "x" * 2000}
    parameters = _payload(row | pages)["events"][0]["params"]
    assert parameters["value"] == 39.98
    assert parameters["items"] == [{"item_id": "A", "price": 19.99, "quantity": 2}]
    assert (len(parameters["page_location"]), len(parameters["page_referrer"])) == (1000, 420)


@pytest.mark.parametrize(
    ("body", "query", "label"),
    [
        (BODY, {"api_secret": "wrong"}, "api_secret"),
        (BODY, {"measurement_id": "G-OTHER"}, "measurement_id"),
        ([], {}, "VALUE_REQUIRED"),
        (BODY | {"client_id": None}, {}, "VALUE_REQUIRED"),
    ],
)
def test_what_is_thrown_away_is_answered_like_what_counts(body: Any, query: dict[str, str], label: str) -> None:
    """204 to everything; only the stand-in's books know better."""
    good, bad = _judged(BODY), _judged(body, **query)
    assert good.answer == bad.answer
    assert (good.answer.status, good.refused, len(good.events)) == (204, None, 1)
    assert (bad.refused, bad.events) == (label, ())


def test_the_checking_server_counts_nothing_and_knows_no_secret() -> None:
    """It tells what is wrong with a request, whoever sends it."""
    fine = _judged(BODY, "/debug/mp/collect", api_secret="wrong")
    assert (fine.answer.status, json.loads(fine.answer.body), fine.is_test) == (200, {"validationMessages": []}, True)
    wrong = _judged(_with(transaction_id=""), "/debug/mp/collect")
    told = json.loads(wrong.answer.body)["validationMessages"]
    assert [message["validationCode"] for message in told] == ["VALUE_REQUIRED"]
    assert told[0]["fieldPath"] == "events[0].params.transaction_id"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (BODY | {"client_id": "GA1.1.7.8"}, "VALUE_INVALID"),
        (BODY | {"unknown": 1}, "VALUE_INVALID"),
        (BODY | {"user_data": {"sha256_email_address": ["a@example.com"]}}, "VALUE_INVALID"),
        (BODY | {"consent": {"ad_user_data": "granted"}}, "VALUE_INVALID"),
        (BODY | {"events": [PURCHASE] * 26}, "EXCEEDED_MAX_ENTITIES"),
        (BODY | {"events": [{"name": "Level Up"}]}, "NAME_INVALID"),
        (BODY | {"events": [{"name": "session_start"}]}, "NAME_RESERVED"),
        (_with(ga_x="1"), "NAME_RESERVED"),
        (_with(**{f"p{number}": 1 for number in range(23)}), "EXCEEDED_MAX_ENTITIES"),
        (_with(coupon="x" * 101), "VALUE_OUT_OF_BOUNDS"),
        (_with(page_location="x" * 1001), "VALUE_OUT_OF_BOUNDS"),
        (_with(value="5"), "VALUE_INVALID"),
        (_with(currency=None), "VALUE_REQUIRED"),
        (_with(currency="EURO"), "VALUE_INVALID"),
        (_with(items=[{"price": 1}]), "VALUE_REQUIRED"),
    ],
)
def test_the_stand_in_finds_what_google_would(body: dict[str, Any], code: str) -> None:
    """Each rule by itself, on a request that is taken without the change."""
    assert _judged(body).refused == code


def test_a_purchase_counts_once_for_a_browser_and_all_else_each_time() -> None:
    """The transaction is known for the same browser only; no other event has a key."""
    (purchase,), (elsewhere,) = _judged(BODY).events, _judged(BODY | {"client_id": "9.9"}).events
    (lead,) = _judged(BODY | {"events": [{"name": "generate_lead"}]}).events
    assert purchase.key == ("ga4", "7.8", "1")
    assert elsewhere.key != purchase.key
    assert lead.key == ()


def test_an_event_that_is_too_old_counts_on_the_wrong_day() -> None:
    """It is dated 72 hours ago, unless strictness was asked for: then it is thrown away."""
    old = BODY | {"timestamp_micros": BODY["timestamp_micros"] // 1000}
    (event,) = _judged(old).events
    assert event.event_time == (NOW - timedelta(hours=72)).timestamp()
    assert _judged(old | {"validation_behavior": "ENFORCE_RECOMMENDATIONS"}).refused == "VALUE_OUT_OF_BOUNDS"


def test_a_large_request_is_the_one_that_is_refused() -> None:
    """130 kB is too much, and the event in it is not tried again."""
    assert DESTINATION.limits.bytes < stand_in.MAX_BYTES
    assert _judged(BODY | {"user_agent": "x" * stand_in.MAX_BYTES}).answer.status == 413
