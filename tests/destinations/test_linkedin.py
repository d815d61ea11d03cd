"""LinkedIn: what its documents say beside the events and answers of the golden files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.accounts import account
from tests.support.frames import event_frame
from uploader.destinations.interface import Response
from uploader.destinations.linkedin import DESTINATION
from uploader.encode import encode
from uploader.errors import ConfigurationError
from uploader.sandbox.platforms import Access
from uploader.sandbox.platforms import linkedin as stand_in
from uploader.sandbox.wire import Answer, Call

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
EMAIL = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"


def _event(**changed: Any) -> dict[str, Any]:
    """Return an event that LinkedIn takes."""
    usual = {
        "conversion": "urn:lla:llaPartnerConversion:104012",
        "conversionHappenedAt": 1795176000000,
        "user": {"userIds": [{"idType": "SHA256_EMAIL", "idValue": EMAIL}]},
    }
    return usual | changed


def _judged(*events: dict[str, Any], **headers: str) -> Answer:
    """Return the stand-in's answer to a batch."""
    usual = {
        "authorization": "Bearer t",
        "linkedin-version": "202609",
        "x-restli-protocol-version": "2.0.0",
        "x-restli-method": "BATCH_CREATE",
    }
    headers = usual | {name.replace("_", "-"): value for name, value in headers.items()}
    call = Call("POST", "/rest/conversionEvents", {}, headers, json.dumps({"elements": events}).encode())
    return stand_in.Platform(Access("t", None, "v1")).judge(call, NOW, "trace", None).answer


def test_a_request_is_a_batch_of_a_version() -> None:
    """One address for all accounts; version, protocol and method are headers."""
    request = DESTINATION.request(account("linkedin"), b"{}")
    assert request.url == "https://api.linkedin.com/rest/conversionEvents"
    assert request.body == b'{"elements":[{}]}'
    assert request.headers == {
        "Content-Type": "application/json",
        "LinkedIn-Version": "202609",
        "X-Restli-Protocol-Version": "2.0.0",
        "X-RestLi-Method": "BATCH_CREATE",
    }
    assert set(request.secret_headers) == {"Authorization"}


@pytest.mark.parametrize("version", ["v202609", "202613", "2026-09", "20260", ""])
def test_a_version_is_a_year_and_a_month(version: str) -> None:
    """Anything else is a wrong setting, before LinkedIn says so."""
    with pytest.raises(ConfigurationError, match="api_version"):
        DESTINATION.request(replace(account("linkedin"), api_version=version), b"")


@pytest.mark.parametrize("rule", ["purchase", "urn:lla:llaPartnerConversion:104012", "1 2"])
def test_a_rule_is_a_number(rule: str) -> None:
    """A name or a whole URN in the settings is reported with the setting's name."""
    with pytest.raises(ConfigurationError, match=r"events\.lead is the number"):
        DESTINATION.request(account("linkedin", {"events": {"Lead": rule}}), b"")


def test_an_event_without_a_rule_has_no_place() -> None:
    """It waits for a setting, which is named."""
    place = event_frame({"event_name": "Schedule"}).select(DESTINATION.place(account("linkedin"))).item()
    assert place is None
    assert DESTINATION.missing("Schedule", "website").startswith("destinations.linkedin.events.Schedule ")


def test_an_email_goes_with_the_plain_hash() -> None:
    """Trimmed and in small letters, without a provider's own rules."""
    assert hashlib.sha256(b"test@example.com").hexdigest() == EMAIL
    row = {"email_sha256": EMAIL, "email_gmail_sha256": "a" * 64, "email_microsoft_sha256": "b" * 64}
    payload = json.loads(encode(event_frame(row), DESTINATION.body(account("linkedin"))).payloads()[0])
    assert payload["user"]["userIds"] == [{"idType": "SHA256_EMAIL", "idValue": EMAIL}]


def test_the_limits_are_those_of_the_documents() -> None:
    """5,000 events in a request, 600 requests a minute, and nothing documented of copies that came the same way."""
    assert (DESTINATION.limits.events, DESTINATION.requests_per_minute) == (5000, 600)
    assert DESTINATION.windows.dedup is None


WRONG = {
    "seconds instead of milliseconds": _event(conversionHappenedAt=1795176000),
    "91 days old": _event(conversionHappenedAt=int((NOW - timedelta(days=91)).timestamp() * 1000)),
    "tomorrow": _event(conversionHappenedAt=int((NOW + timedelta(days=1)).timestamp() * 1000)),
    "an amount as a number": _event(conversionValue={"currencyCode": "EUR", "amount": 5}),
    "an amount without a currency": _event(conversionValue={"amount": "5"}),
    "no list of ids": _event(user={"userInfo": {"firstName": "A", "lastName": "B"}}),
    "half a name": _event(user={"userIds": [], "userInfo": {"firstName": "A"}}),
    "nobody": _event(user={"userIds": []}),
    "an e-mail address in clear": _event(user={"userIds": [{"idType": "SHA256_EMAIL", "idValue": "a@b.example"}]}),
    "an identifier that was removed": _event(user={"userIds": [{"idType": "ORACLE_MOAT_ID", "idValue": "1"}]}),
    "a rule by its number": _event(conversion="104012"),
    "an unknown key": _event(phone="1"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_the_stand_in_names_the_wrong_event(wrong: dict[str, Any]) -> None:
    """The request is refused whole, and the wrong event is the one to blame."""
    answer = _judged(_event(), wrong, _event())
    assert answer.status == 422
    assert DESTINATION.read_response(Response(422, answer.body), 3).culprits == (1,)


def test_a_name_or_a_lead_is_somebody() -> None:
    """Other ways to say who it was, which the stand-in knows, though the marts do not hold them."""
    named = {"userIds": [], "userInfo": {"firstName": "A", "lastName": "B"}}
    assert _judged(_event(user=named), _event(user={"userIds": [], "lead": "urn:li:lead:1"})).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "Bearer other"}, 401),
        ({"linkedin_version": "202511"}, 426),
        ({"linkedin_version": ""}, 400),
        ({"x_restli_method": "CREATE"}, 400),
        ({"x_restli_protocol_version": "1.0.0"}, 400),
    ],
)
def test_the_stand_in_reads_the_headers_first(headers: dict[str, str], status: int) -> None:
    """Token, version, method and protocol are about the whole request."""
    assert _judged(_event(), **headers).status == status


def test_the_stand_in_takes_5000_events() -> None:
    """One more is a request of the wrong form."""
    assert _judged(*[_event()] * 5000).status == 200
    assert _judged(*[_event()] * 5001).status == 400
