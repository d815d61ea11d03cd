"""Microsoft Advertising: what its guide says beside the events and answers of the golden files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from tests.support.accounts import account
from tests.support.frames import event_frame
from uploader.destinations.interface import Response, Verdict
from uploader.destinations.microsoft import DESTINATION
from uploader.encode import encode
from uploader.events import IDENTIFIERS
from uploader.sandbox.faults import Fault
from uploader.sandbox.platforms import Access
from uploader.sandbox.platforms import microsoft as stand_in
from uploader.sandbox.wire import Call

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
JOHN = "ec81f3ac7b2b19675bab9d54cf416f9f18cff87c97da5cca82c0f0891bc40602"
PHONE = "c59475d96e9f01d7d18d06cfad84dd02333207f02c0c2c5663ef2782cda0390e"


def _event(**row: Any) -> dict[str, Any]:
    """Return what leaves for a row of a person with an e-mail address."""
    frame = event_frame({"email_microsoft_sha256": JOHN} | row)
    return json.loads(encode(frame, DESTINATION.body(account("microsoft"))).payloads()[0])


def _call(events: list[Any], sender: str, envelope: dict[str, Any], method: str = "POST") -> Call:
    body = json.dumps({"data": events} | envelope).encode()
    return Call(method, "/v1/97000001/events", {}, {"authorization": f"Bearer {sender}"}, body)


def _judged(*events: Any, sender: str = "t", dataset_ids: frozenset[str] | None = None, **envelope: Any) -> Any:
    """Return what the stand-in says of a request."""
    platform = stand_in.Platform(Access("t", dataset_ids, "v26.0"))
    return platform.judge(_call(list(events), sender, envelope), NOW, "trace", None)


def _read(upload: Any, sent: int) -> Any:
    return DESTINATION.read_response(Response(upload.answer.status, upload.answer.body), sent)


def test_the_address_names_the_tag_and_all_or_nothing_is_asked_for() -> None:
    """Microsoft would skip invalid events and list only ten of them: no event may get lost that way."""
    request = DESTINATION.request(account("microsoft", {"dataset_id": "97000001"}), b"{},{}")
    assert request.url == "https://capi.uet.microsoft.com/v1/97000001/events"
    assert request.body == b'{"data":[{},{}],"continueOnValidationError":false}'


def test_a_sender_for_somebody_else_names_itself() -> None:
    """The name stands beside the events, never in them, whatever signs are in it."""
    request = DESTINATION.request(account("microsoft", {"options": {"data_provider": 'a"b'}}), b"{}")
    assert request.body == b'{"data":[{}],"dataProvider":"a\\"b","continueOnValidationError":false}'


@pytest.mark.parametrize(("text", "digest"), [("john@contoso.com", JOHN), ("+14255551234", PHONE)])
def test_the_documented_vectors_are_plain_digests(text: str, digest: str) -> None:
    """What the guide shows is the SHA-256 of the normalized text, in small hexadecimal digits."""
    assert sha256(text.encode()).hexdigest() == digest


def test_identifiers_come_from_the_columns_of_their_normalized_form() -> None:
    """Other platforms' forms of the same address and number are other digests: they would be lost without a word."""
    forms = {name for name in IDENTIFIERS if name.startswith(("email_", "phone_"))}
    others = forms - {"email_microsoft_sha256", "phone_e164_sha256"}
    sent = _event(**dict.fromkeys(others, "a" * 64), phone_e164_sha256=PHONE)
    assert sent["userData"] == {"em": JOHN, "ph": PHONE}


@pytest.mark.parametrize(
    ("click_id", "is_sent"),
    [
        ("dd4afccc-b1c9-4a4c-ad95-44dd7e500612", True),
        ("DD4AFCCCB1C94A4CAD9544DD7E500612", True),
        ("dd4afcccb1c94a4cad9544dd7e50061", False),
        ("dd4afccc-b1c94a4cad9544dd7e500612", False),
        ("dd4afcccb1c94a4cad9544dd7e500612\n", False),
        ("gd4afcccb1c94a4cad9544dd7e500612", False),
    ],
)
def test_only_a_uuid_is_a_click_id(click_id: str, is_sent: bool) -> None:
    """With all its dashes or without any; an invalid one would refuse the whole request."""
    assert _event(msclkid=click_id)["userData"].get("msclkid") == (click_id if is_sent else None)


def test_what_leaves_is_granted() -> None:
    """Left out, consent would be taken for given as well; what is denied is held before."""
    kinds = ({}, {"is_limited_data_use": True}, {"consent_at_event": None}, {"consent_regime": "opt_out"})
    assert {_event(**kind)["adStorageConsent"] for kind in kinds} == {"G"}


def test_one_invalid_event_refuses_the_request_and_is_named() -> None:
    """The stand-in takes nothing, and its answer leads to the right events."""
    upload = _judged(_event(), _event() | {"eventType": "click"}, _event() | {"eventTime": 1})
    outcome = _read(upload, 3)
    assert (outcome.verdict, outcome.code, outcome.culprits) == (Verdict.REFUSED, "InvalidEnumValue", (1, 2))
    assert upload.events == ()


def test_ten_findings_are_listed_and_the_others_are_not() -> None:
    """With more bad events than that, the answer names ten: the rest has to be looked for."""
    upload = _judged(*[_event() | {"eventTime": 1}] * 12)
    assert _read(upload, 12).culprits == tuple(range(10))


def test_wrong_hashes_are_dropped_with_a_warning() -> None:
    """The event counts, without the address; the answer is a success all the same."""
    upload = _judged(_event() | {"userData": {"em": "john@contoso.com", "externalId": "1"}})
    assert dict(upload.warnings) == {"userData.em": 1}
    assert upload.events[0].user_data == ("externalId",)
    assert _read(upload, 1).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"eventType": "pageLoad"}, "Empty"),
        ({"eventSourceUrl": "shop"}, "InvalidUrl"),
        ({"eventTime": 1795180201}, "InvalidEventTime"),
        ({"adStorageConsent": "granted"}, "InvalidEnumValue"),
        ({"userData": {"clientIpAddress": "203.0.113.7"}}, "Empty"),
        ({"userData": {"msclkid": "dd4afcccb1c9a4cad9544dd7e5006"}}, "ValidationError"),
        ({"surprise": 1}, "ValidationError"),
    ],
)
def test_the_stand_in_refuses(change: dict[str, Any], label: str) -> None:
    """What the guide forbids, with the code that it has for it."""
    assert _judged(_event() | change).refused == label


def test_the_stand_in_goes_on_where_it_is_asked_to() -> None:
    """It takes the valid ones then; a request of invalid ones is still refused."""
    bad = _event() | {"eventTime": 1}
    upload = _judged(_event(), bad, continueOnValidationError=True)
    assert (upload.answer.status, len(upload.events)) == (200, 1)
    assert _read(upload, 2).verdict is Verdict.IN_DOUBT
    assert _judged(bad, continueOnValidationError=True).answer.status == 400


def test_the_stand_in_keeps_its_door() -> None:
    """A wrong token, another tag, a key that is none, no event or too many, and another method are no requests."""
    assert _read(_judged(_event(), sender="other"), 1).code == "Unauthorized"
    assert _judged(_event(), dataset_ids=frozenset({"1"})).refused == "Unauthorized"
    assert _judged(_event(), surprise=1).refused == "ValidationError"
    assert _judged().refused == _judged(*[_event()] * 1001).refused == "ValidationError"
    got = stand_in.Platform(Access("t", None, "v26.0")).judge(_call([], "t", {}, "GET"), NOW, "trace", None)
    assert not got.is_upload


def test_a_wrong_count_is_no_success() -> None:
    """The fault that the sandbox can be switched to is seen as doubt."""
    platform = stand_in.Platform(Access("t", None, "v26.0"))
    upload = platform.judge(_call([_event()], "t", {}), NOW, "trace", Fault("wrong_count"))
    assert _read(upload, 1).verdict is Verdict.IN_DOUBT
