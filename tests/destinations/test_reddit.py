"""Reddit: what its documents say beside the events and answers of the golden files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from tests.support.accounts import account
from tests.support.frames import event_frame
from uploader.destinations.interface import Response, Verdict
from uploader.destinations.reddit import DESTINATION
from uploader.encode import encode
from uploader.events import IDENTIFIERS
from uploader.sandbox.faults import Fault
from uploader.sandbox.platforms import Access
from uploader.sandbox.platforms import reddit as stand_in
from uploader.sandbox.wire import Call

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
ALICE = "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976"
PHONE = "1e231c66011e7a2d867a9cfae267a6aff103cf4913640b6e71a99850fc0ffbc8"


def _event(**row: Any) -> dict[str, Any]:
    """Return what leaves for a row of a person with an e-mail address."""
    frame = event_frame({"email_reddit_sha256": ALICE} | row)
    return json.loads(encode(frame, DESTINATION.body(account("reddit"))).payloads()[0])


def _judged(*events: Any, sender: str = "t", dataset_ids: frozenset[str] | None = None, **data: Any) -> Any:
    """Return what the stand-in says of a request."""
    body = json.dumps({"data": {"events": list(events)} | data}).encode()
    call = Call("POST", "/api/v3/pixels/a2_x/conversion_events", {}, {"authorization": f"Bearer {sender}"}, body)
    return stand_in.Platform(Access("t", dataset_ids, "v26.0")).judge(call, NOW, "trace", None)


def _read(upload: Any, sent: int) -> Any:
    return DESTINATION.read_response(Response(upload.answer.status, upload.answer.body), sent)


def test_the_address_names_the_pixel() -> None:
    """The version is in the path, and the pixel is what takes the events."""
    request = DESTINATION.request(account("reddit", {"dataset_id": "a2_abc123"}), b"{}")
    assert request.url == "https://ads-api.reddit.com/api/v3/pixels/a2_abc123/conversion_events"
    assert request.body == b'{"data":{"events":[{}]}}'


def test_a_rehearsal_names_its_test_in_the_body() -> None:
    """The id of Event Testing stands beside the events, whatever signs are in it, and the stand-in sees a rehearsal."""
    request = DESTINATION.request(account("reddit", {"test_event_code": 't"1'}), b"{}")
    assert request.body == b'{"data":{"events":[{}],"test_id":"t\\"1"}}'
    assert _judged(_event(), test_id="t1").is_test
    assert not _judged(_event()).is_test


@pytest.mark.parametrize(("text", "digest"), [("alice@example.com", ALICE), ("+16505551212", PHONE)])
def test_the_documented_vectors_are_plain_digests(text: str, digest: str) -> None:
    """What the business help shows is the SHA-256 of the canonical text, in small hexadecimal digits."""
    assert sha256(text.encode()).hexdigest() == digest


def test_identifiers_come_from_the_columns_of_their_canonical_form() -> None:
    """Other platforms' forms of the same address and number are other digests, and stay here."""
    forms = {name for name in IDENTIFIERS if name.startswith(("email_", "phone_"))}
    others = forms - {"email_reddit_sha256", "phone_e164_sha256"}
    sent = _event(**dict.fromkeys(others, "a" * 64), phone_e164_sha256=PHONE)
    assert sent["user"] == {"email": ALICE, "phone_number": PHONE}


@pytest.mark.parametrize(("ours", "theirs"), sorted(DESTINATION.event_names.items()))
def test_every_type_is_one_that_reddit_knows(ours: str, theirs: str) -> None:
    """A standard event has no name of its own beside its type."""
    assert theirs in stand_in.TYPES
    assert _event(event_name=ours)["type"] == {"tracking_type": theirs}


def test_the_type_custom_keeps_our_name() -> None:
    """Whoever maps an event to CUSTOM itself still sees which one it was."""
    mine = account("reddit", {"events": {"Subscribe": "CUSTOM"}})
    frame = event_frame({"event_name": "Subscribe"})
    sent = json.loads(encode(frame, DESTINATION.body(mine)).payloads()[0])
    assert sent["type"] == {"tracking_type": "CUSTOM", "custom_event_name": "Subscribe"}


def test_full_requests_stay_below_the_narrowest_published_rate() -> None:
    """At most 250,000 events a minute, in requests of 1,000."""
    assert DESTINATION.limits.events * DESTINATION.requests_per_minute <= 250_000
    assert DESTINATION.limits.events <= stand_in.MAX_EVENTS


def test_times_are_those_of_the_documents() -> None:
    """Copies are found within two days; five minutes ahead is near enough."""
    assert DESTINATION.windows.dedup == timedelta(days=2)
    assert DESTINATION.windows.future == stand_in.MAX_AHEAD == timedelta(minutes=5)


def test_one_invalid_event_refuses_the_request_and_is_named() -> None:
    """The stand-in takes nothing, and its answer leads to the right event."""
    upload = _judged(_event(), _event() | {"action_source": "website"}, _event() | {"event_at": 1795176000})
    outcome = _read(upload, 3)
    assert (outcome.verdict, outcome.code, outcome.culprits) == (Verdict.REFUSED, "action_source", (1, 2))
    assert upload.events == ()


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"click_id": "{{RDT_CID}}"}, "click_id"),
        ({"event_at": 1795180200001}, "event_at"),
        ({"surprise": 1}, "surprise"),
        ({"type": {"tracking_type": "Purchase"}}, "type.tracking_type"),
        ({"type": {"tracking_type": "LEAD", "custom_event_name": "x"}}, "type.custom_event_name"),
        ({"metadata": {"currency": "USD"}}, "metadata.currency"),
        ({"metadata": {"products": [{}]}}, "metadata.products"),
        ({"user": {"email": "alice@example.com"}}, "user.email"),
        ({"user": {"user_agent": "Mozilla/5.0"}}, "user"),
    ],
)
def test_the_stand_in_refuses(change: dict[str, Any], label: str) -> None:
    """What the documents forbid, it names by the field."""
    assert _judged(_event() | change).refused == label


def test_the_stand_in_keeps_its_door() -> None:
    """A wrong token, a pixel of somebody else, and more than 1,000 events are no requests."""
    assert _read(_judged(_event(), sender="other"), 1).code == "UNAUTHORIZED"
    assert _read(_judged(_event(), dataset_ids=frozenset({"a2_y"})), 1).verdict is Verdict.BLOCKED
    assert _judged(*[_event()] * 1001).refused == "count"


def test_the_stand_in_warns_of_what_reddit_may_take() -> None:
    """A value where Reddit has no use for one, and a device in a shop, are taken and noted."""
    viewed = _event(event_name="ViewContent") | {"metadata": {"value": 1, "currency": "EUR", "item_count": 1}}
    in_store = _event(action_source="physical_store") | {"click_id": "1"}
    warnings = _judged(viewed, in_store).warnings
    assert warnings["value_without_use"] == warnings["count_without_use"] == warnings["device_in_store"] == 1


def test_copies_are_of_one_source_and_one_name() -> None:
    """A custom event is told from another one by its name, a sale in a shop from one on the website by its source."""
    kinds = ({}, {"event_name": "Schedule"}, {"event_name": "Contact"}, {"action_source": "physical_store"})
    events = [_event(event_id="e", **kind) for kind in kinds]
    assert len({taken.key for taken in _judged(*events).events}) == 4


def test_a_wrong_count_is_no_success() -> None:
    """The fault that the sandbox can be switched to is seen as doubt."""
    body = json.dumps({"data": {"events": [_event()]}}).encode()
    call = Call("POST", "/api/v3/pixels/a2_x/conversion_events", {}, {"authorization": "Bearer t"}, body)
    upload = stand_in.Platform(Access("t", None, "v26.0")).judge(call, NOW, "trace", Fault("wrong_count"))
    assert _read(upload, 1).verdict is Verdict.IN_DOUBT
