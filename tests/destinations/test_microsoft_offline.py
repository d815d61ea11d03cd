"""Microsoft's offline conversions: what the reference says beside the events and answers of the golden files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.accounts import TOKEN, account
from tests.support.frames import event_frame
from uploader.destinations.interface import Response, Secret, Verdict
from uploader.destinations.microsoft_offline import DESTINATION, RULES
from uploader.encode import encode
from uploader.errors import ConfigurationError
from uploader.events import IDENTIFIERS
from uploader.sandbox.platforms import Access
from uploader.sandbox.platforms import microsoft_offline as stand_in
from uploader.sandbox.wire import Call

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
JOHN = "ec81f3ac7b2b19675bab9d54cf416f9f18cff87c97da5cca82c0f0891bc40602"
CLICK = "dd4afccc-b1c9-4a4c-ad95-44dd7e500612"
PATH = "/CampaignManagement/v13/OfflineConversions/Apply"
ROW = {"ConversionName": "Goal", "ConversionTime": "2026-11-20T12:00:00Z", "HashedEmailAddress": JOHN}
HEADERS = {"authorization": "Bearer t", "developertoken": "t", "customeraccountid": "1", "customerid": "2"}


def _event(**row: Any) -> dict[str, Any]:
    """Return what leaves for a row of a person with an e-mail address."""
    frame = event_frame({"email_microsoft_sha256": JOHN} | row)
    return json.loads(encode(frame, DESTINATION.body(account("microsoft_offline"))).payloads()[0])


def _judged(*rows: Any, headers: dict[str, str] = HEADERS, method: str = "POST") -> Any:
    """Return what the stand-in says of a request."""
    call = Call(method, PATH, {}, headers, json.dumps({"OfflineConversions": list(rows)}).encode())
    return stand_in.Platform(Access("t", None, "v26.0")).judge(call, NOW, "trace", None)


def _read(upload: Any, sent: int) -> Any:
    return DESTINATION.read_response(Response(upload.answer.status, upload.answer.body), sent)


def test_the_account_stands_in_headers_and_the_developer_is_a_secret() -> None:
    """One address for all accounts; the access token comes with the signature."""
    request = DESTINATION.request(account("microsoft_offline"), b"{},{}")
    assert request.url == f"https://campaign.api.bingads.microsoft.com{PATH}"
    assert request.body == b'{"OfflineConversions":[{},{}]}'
    assert request.headers == {
        "Content-Type": "application/json",
        "CustomerAccountId": "1234567",
        "CustomerId": "7654321",
    }
    assert {name: secret.reveal() for name, secret in request.secret_headers.items()} == {
        "DeveloperToken": f"{TOKEN}-developer"
    }


@pytest.mark.parametrize(
    ("secret", "lacking"),
    [
        ({"token_uri": "https://login.microsoftonline.com/x"}, "developer_token"),
        ({"token_uri": "https://login.microsoftonline.com/x", "developer_token": ""}, "developer_token"),
        ({"token_uri": "https://login.microsoftonline.com/x", "developer_token": "a\nb"}, "developer_token"),
        ({"developer_token": TOKEN}, "token_uri"),
    ],
)
def test_credentials_that_lack_a_part_are_told_without_being_shown(secret: dict[str, str], lacking: str) -> None:
    """They would go to Google, or be refused by Microsoft without a hint."""
    mine = replace(account("microsoft_offline"), token=Secret(json.dumps(secret)))
    with pytest.raises(ConfigurationError, match=f'lacks "{lacking}"') as raised:
        DESTINATION.request(mine, b"{}")
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("dataset_id", ["act_1", "1\r\nX: y", "", "１２"])
def test_an_account_is_a_number(dataset_id: str) -> None:
    """It stands in a header, where nothing else may."""
    with pytest.raises(ConfigurationError, match="dataset_id"):
        DESTINATION.request(account("microsoft_offline", {"dataset_id": dataset_id}), b"{}")


def test_an_event_without_a_goal_waits_for_the_setting() -> None:
    """Microsoft would refuse it, and it knows the goals by their names alone."""
    place = event_frame({"event_name": "Schedule"}).select(DESTINATION.place(account("microsoft_offline"))).item()
    assert place is None
    assert DESTINATION.missing("Schedule", "website").startswith("destinations.microsoft_offline.events.Schedule ")


def test_identifiers_come_from_the_columns_of_their_normalized_form() -> None:
    """Other forms of the same address and number are other digests, which match nobody."""
    others = {name for name in IDENTIFIERS if name not in {"email_microsoft_sha256", "phone_e164_sha256"}}
    sent = _event(**dict.fromkeys(others, "a" * 64))
    assert {key for key in sent if key.startswith("Hashed")} == {"HashedEmailAddress"}
    assert sent["HashedEmailAddress"] == JOHN


def test_the_stand_in_takes_the_good_rows_and_names_the_others() -> None:
    """Each is judged by itself, and the answer leads to the right ones."""
    upload = _judged(ROW, ROW | {"MicrosoftClickId": "x"}, ROW, ROW | {"ConversionTime": "2026-11-20T13:00:01Z"})
    outcome = _read(upload, 4)
    assert (outcome.verdict, dict(outcome.refused)) == (Verdict.PARTIAL, {1: "5604", 3: "5614"})
    assert len(upload.events) == 2


def test_the_same_click_goal_and_time_is_the_same_conversion() -> None:
    """Of one without a click nothing is said, so it counts again."""
    clicked = ROW | {"MicrosoftClickId": CLICK}
    first, again, later, unclicked = _judged(
        clicked, clicked | {"ConversionValue": 7}, clicked | {"ConversionTime": "2026-11-20T12:00:01Z"}, ROW
    ).events
    assert first.key == again.key != later.key
    assert unclicked.key == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ConversionName": ""}, 5605),
        ({"ConversionTime": None}, 5608),
        ({"ConversionTime": "20 November 2026"}, 5607),
        ({"ConversionTime": "2026-08-22T12:59:59Z"}, 5609),
        ({"ConversionValue": "7"}, 5610),
        ({"ConversionValue": -1}, 5610),
        ({"ConversionCurrencyCode": "XYZ"}, 5611),
        ({"HashedEmailAddress": "john@contoso.com"}, 8004),
        ({"HashedEmailAddress": None}, 5603),
    ],
)
def test_the_stand_in_has_the_codes_of_the_reference(change: dict[str, Any], code: int) -> None:
    """And each of them is one that the destination knows."""
    (error,) = json.loads(_judged(ROW | change, ROW).answer.body)["PartialErrors"]
    assert (error["Index"], error["Code"]) == (0, code)
    assert str(code) in RULES


@pytest.mark.parametrize("header", HEADERS)
def test_the_stand_in_asks_who_comes(header: str) -> None:
    """Token, developer, account and customer: all four."""
    headers = {name: value for name, value in HEADERS.items() if name != header}
    upload = _judged(ROW, headers=headers)
    assert upload.answer.status == 401
    assert _read(upload, 1).verdict is Verdict.BLOCKED


def test_the_stand_in_takes_no_more_rows_than_documented_and_no_unknown_keys() -> None:
    """A thousand; both are errors of the request, and nothing is taken."""
    assert _read(_judged(*[ROW] * 1001), 1001).verdict is Verdict.TOO_BIG
    assert len(_judged(*[ROW] * 1000).events) == 1000
    assert _read(_judged(ROW | {"EventId": "1"}), 1).verdict is Verdict.REFUSED
    assert _judged(ROW, method="GET").answer.status == 405
