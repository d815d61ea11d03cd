"""X: what its documents say beside the events and answers of the golden files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.accounts import account
from tests.support.frames import event_frame
from uploader.delivery.signing import OAuth1
from uploader.destinations.interface import OAUTH1_PARTS, Auth, Response
from uploader.destinations.x import DESTINATION
from uploader.encode import encode
from uploader.errors import ConfigurationError
from uploader.sandbox.platforms import Access
from uploader.sandbox.platforms import x as stand_in
from uploader.sandbox.received import Upload
from uploader.sandbox.wire import Call

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
PATH = "/12/measurement/conversions/o8z6j"
EMAIL = "e586883b2b4faf78d48300a79e0e15138d664cdf796ffb86e533170a9893eda8"
PHONE = "1fa6b8d986d9b9cd01bf36951815158bbde9f520c0567c835dfe34783d0a4231"
PAIR = {"ip_address": "203.0.113.7", "user_agent": "Mozilla/5.0"}


def _event(**changed: Any) -> dict[str, Any]:
    """Return a conversion that X takes."""
    usual = {
        "conversion_time": "2026-11-20T12:00:00.000Z",
        "event_id": "o87ne",
        "identifiers": [{"hashed_email": EMAIL}],
        "conversion_id": "purchase.1",
    }
    return usual | changed


def _judged(*events: dict[str, Any], authorization: str | None = None, query: dict[str, str] | None = None) -> Upload:
    """Return the stand-in's judgement of a request, signed rightly unless something else is given."""
    headers = {"authorization": authorization or _signed(), "host": "127.0.0.1:8080"}
    body = json.dumps({"conversions": events}).encode()
    return stand_in.Platform(Access("t", None, "v1")).judge(
        Call("POST", PATH, query or {}, headers, body), NOW, "trace", None
    )


def _signed(url: str = f"https://ads-api.x.com{PATH}", at: datetime = NOW, **secrets: str) -> str:
    """Sign a request as it is sent, with the stand-in's own token as all four parts."""
    return OAuth1(dict.fromkeys(OAUTH1_PARTS, "t") | secrets, lambda: at)(url)["Authorization"]


def test_the_signature_is_the_senders_part() -> None:
    """The request names the pixel and the version, and holds no secret: signing comes after it."""
    request = DESTINATION.request(account("x", {"dataset_id": "o8z6j"}), b"{}")
    assert DESTINATION.auth is Auth.OAUTH1
    assert request.url == f"https://ads-api.x.com{PATH}"
    assert request.body == b'{"conversions":[{}]}'
    assert not request.secret_headers
    assert not request.secret_query


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dataset_id": "O8Z6J"}, "dataset_id"),
        ({"dataset_id": "tw-o8z6j"}, "dataset_id"),
        ({"events": {"lead": "Sign up"}}, r"events\.lead is the id"),
        ({"events": {"lead": "TW-o8z6j-o87ne"}}, r"events\.lead is the id"),
        ({"api_version": "v12"}, "api_version"),
    ],
)
def test_ids_have_the_form_of_ids(changed: dict[str, Any], message: str) -> None:
    """A name where an id belongs is a wrong setting, before X says so."""
    with pytest.raises(ConfigurationError, match=message):
        DESTINATION.request(replace(account("x"), **changed), b"")


def test_an_event_without_an_id_has_no_place() -> None:
    """It waits for a setting, which is named; names alone mean nothing to X."""
    assert event_frame({"event_name": "Schedule"}).select(DESTINATION.place(account("x"))).item() is None
    assert DESTINATION.missing("Schedule", "website").startswith("destinations.x.events.Schedule ")


def test_hashes_are_those_of_the_documented_texts() -> None:
    """E-mail in small letters, phone with its plus sign; each from the column that is made by that rule."""
    assert hashlib.sha256(b"test-email@test.com").hexdigest() == EMAIL
    assert hashlib.sha256(b"+11234567890").hexdigest() == PHONE
    others = {"email_gmail_sha256": "a" * 64, "phone_digits_sha256": "b" * 64}
    row = {"email_sha256": EMAIL, "phone_e164_sha256": PHONE, **others}
    payload = json.loads(encode(event_frame(row), DESTINATION.body(account("x"))).payloads()[0])
    assert payload["identifiers"] == [{"hashed_email": EMAIL}, {"hashed_phone_number": PHONE}]


def test_the_documents_own_example_is_of_another_text() -> None:
    """What the page prints as the hash of test@x.com is that of test@twitter.com."""
    printed = "d360d510a224510f373931ce2d6215a799f5a9c1cef221b0149b6b6b50cced62"
    assert hashlib.sha256(b"test@twitter.com").hexdigest() == printed
    assert hashlib.sha256(b"test@x.com").hexdigest() != printed


@pytest.mark.parametrize(
    ("row", "identifiers"),
    [
        ({"client_ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}, [PAIR]),
        ({"client_ip": "203.0.113.7"}, None),
        ({"user_agent": "Mozilla/5.0"}, None),
        ({"client_ip": "2001:db8::7", "user_agent": "Mozilla/5.0"}, None),
        ({"client_ip": "::ffff:203.0.113.7", "user_agent": "Mozilla/5.0"}, None),
    ],
)
def test_address_and_browser_go_together(row: dict[str, str], identifiers: list[dict[str, str]] | None) -> None:
    """Half a pair, or one with an address that is not dotted, is no identifier."""
    payload = json.loads(encode(event_frame(row), DESTINATION.body(account("x"))).payloads()[0])
    assert payload.get("identifiers") == identifiers


def test_a_support_id_is_kept() -> None:
    """X asks for it when something is unclear; anything that is no id is not kept."""
    for debug_id, kept in (("ff02e052-36e4", "ff02e052-36e4"), ("not an id", None), (5, None)):
        body = json.dumps({"data": {"conversions_processed": 1, "debug_id": debug_id}}).encode()
        assert DESTINATION.read_response(Response(200, body), 1).trace_id == kept


def test_the_limits_are_the_lower_of_two_documented_ones() -> None:
    """500 events in a request, and no more than 60,000 in 15 minutes."""
    assert DESTINATION.limits.events * DESTINATION.requests_per_minute * 15 == 60_000


def test_a_signature_is_as_the_protocol_computes_it() -> None:
    """The worked example of OAuth Core 1.0, appendix A.5."""
    parameters = {
        "file": "vacation.jpg",
        "size": "original",
        "oauth_consumer_key": "dpf43f3p2l4k3l03",
        "oauth_token": "nnch734d00sl2jdk",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "1191242096",
        "oauth_nonce": "kllo9940pd9333jh",
        "oauth_version": "1.0",
    }
    found = stand_in.signature(
        "get", "http://photos.example.net/photos", parameters.items(), ("kd94hf93k423kf44", "pfkkdhi9sl3r4s00")
    )
    assert found == "tR3+Ty81lMeYAr/Fid0kMTYa/WM="


def test_a_signature_fits_its_address() -> None:
    """X's own address and the one where the request arrived, with its query; no other."""
    local = f"http://127.0.0.1:8080{PATH}"
    assert _judged(_event()).refused is None
    assert _judged(_event(), authorization=_signed(local)).refused is None
    assert _judged(_event(), authorization=_signed(f"{local}?a=b%20c"), query={"a": "b c"}).refused is None
    assert _judged(_event(), query={"a": "b c"}).refused == "UNAUTHORIZED_ACCESS"
    assert _judged(_event(), authorization=_signed(f"https://other.example{PATH}")).refused == "UNAUTHORIZED_ACCESS"


@pytest.mark.parametrize("part", OAUTH1_PARTS)
def test_every_part_of_the_credentials_counts(part: str) -> None:
    """One wrong key or secret of the four is enough to be turned away."""
    assert _judged(_event(), authorization=_signed(**{part: "other"})).refused == "UNAUTHORIZED_ACCESS"


@pytest.mark.parametrize("header", ["Bearer t", "OAuth x", "OAuth ", 'OAuth oauth_timestamp="x"', "é"])
def test_anything_else_is_no_signature(header: str) -> None:
    """A token or a broken header is turned away; so is a clock that is wrong by ten minutes."""
    assert _judged(_event(), authorization=header).refused == "UNAUTHORIZED_ACCESS"
    late = _signed(at=NOW - timedelta(minutes=10))
    assert _judged(_event(), authorization=late).refused == "UNAUTHORIZED_ACCESS"


WRONG = {
    "a time without milliseconds": _event(conversion_time="2026-11-20T12:00:00Z"),
    "a day that is none": _event(conversion_time="2026-02-30T12:00:00.000Z"),
    "91 days old": _event(conversion_time="2026-08-21T12:00:00.000Z"),
    "tomorrow": _event(conversion_time="2026-11-21T14:00:00.000Z"),
    "an event by its name": _event(event_id="Purchase"),
    "an e-mail address in clear": _event(identifiers=[{"hashed_email": "a@b.example"}]),
    "an address alone": _event(identifiers=[{"ip_address": "203.0.113.7"}]),
    "a browser alone": _event(identifiers=[{"user_agent": "Mozilla/5.0"}]),
    "an address that is not dotted": _event(identifiers=[{"ip_address": "2001:db8::7", "user_agent": "Mozilla/5.0"}]),
    "no items": _event(number_items=0),
    "an unknown currency": _event(value=1, price_currency="EURO"),
    "a stray key": _event(user_agent="Mozilla/5.0"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_one_wrong_conversion_refuses_all_and_is_not_named(wrong: dict[str, Any]) -> None:
    """Nothing is taken, and the answer blames none."""
    upload = _judged(_event(), wrong)
    assert (upload.refused, upload.events, upload.sent) == ("INVALID_PARAMETER", (), 2)
    outcome = DESTINATION.read_response(Response(upload.answer.status, upload.answer.body), 2)
    assert outcome.culprits == ()


def test_the_stand_in_takes_500_conversions() -> None:
    """One more is too many, which the destination answers by halving."""
    assert len(_judged(*[_event()] * 500).events) == 500
    answer = _judged(*[_event()] * 501).answer
    assert DESTINATION.read_response(Response(answer.status, answer.body), 501).verdict == "too_big"
