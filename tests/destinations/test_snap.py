"""Snap: what its documents say beside the events and answers of the golden files."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.accounts import account
from tests.support.frames import event_frame
from uploader.destinations.snap import DESTINATION
from uploader.encode import encode
from uploader.errors import ConfigurationError
from uploader.sandbox.platforms import Access
from uploader.sandbox.platforms import snap as stand_in
from uploader.sandbox.wire import Call

PIXEL = DESTINATION.dataset_example
APP = "2e6e5c5d-6bb0-4a0c-9f0c-4f1c5f4d1c11"
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
AT = 1795176000
GOOD = {
    "event_name": "SEARCH",
    "event_time": AT,
    "action_source": "OFFLINE",
    "event_id": "a",
    "user_data": {"em": "a" * 64},
}
VECTORS = [
    ("email_sha256", "em", "person@example.com", "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"),
    ("phone_digits_sha256", "ph", "448444124653", "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"),
    ("first_name_sha256", "fn", "john", "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a"),
    ("first_name_sha256", "fn", "raphaël", "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7"),
]


@pytest.mark.parametrize(("column", "key", "text", "digest"), VECTORS)
def test_documented_hashes_stand_where_they_belong(column: str, key: str, text: str, digest: str) -> None:
    """The hash of the normalized text is the documented one, and leaves as a list under its key."""
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    (payload,) = encode(event_frame({column: digest}), DESTINATION.body(account("snap"))).payloads()
    assert json.loads(payload)["user_data"] == {key: [digest]}


def test_the_token_stands_in_the_query_and_nowhere_else() -> None:
    """Snap describes no header for it; a rehearsal's code stands beside the events."""
    real, rehearsal = (DESTINATION.request(account("snap", given), b"{}") for given in ({}, {"test_event_code": "T1"}))
    assert real.url == rehearsal.url == f"https://tr.snapchat.com/v3/{PIXEL}/events"
    assert real.secret_query["access_token"].reveal() == account("snap").token.reveal()
    assert not real.secret_headers
    assert real.body == b'{"data":[{}]}'
    assert rehearsal.body == b'{"data":[{}],"test_event_code":"T1"}'


def test_events_of_the_app_go_to_the_app() -> None:
    """All others go to the pixel, those of shops too."""
    mine = account("snap", {"options": {"app_id": APP}})
    frame = event_frame(*({"action_source": source} for source in ("website", "app", "physical_store", "chat")))
    assert frame.select(DESTINATION.place(mine)).to_series().to_list() == ["pixel", "app", "pixel", "pixel"]
    assert DESTINATION.request(mine, b"", "app").url == f"https://tr.snapchat.com/v3/{APP}/events"
    assert DESTINATION.request(mine, b"", "pixel").url == f"https://tr.snapchat.com/v3/{PIXEL}/events"


def test_without_its_id_an_event_of_the_app_waits() -> None:
    """The setting that it waits for is named."""
    frame = event_frame({"action_source": "app"})
    assert frame.select(DESTINATION.place(account("snap"))).item() is None
    assert DESTINATION.missing("purchase", "app").startswith("destinations.snap.options.app_id (")
    with pytest.raises(ConfigurationError, match=r"options\.app_id is missing"):
        DESTINATION.request(account("snap"), b"", "app")


@pytest.mark.parametrize("name", ["Schedule", "Contact", "Donate"])
def test_an_event_without_a_name_waits(name: str) -> None:
    """Snap takes no names of one's own, so one of its five spare ones is to be chosen."""
    assert event_frame({"event_name": name}).select(DESTINATION.place(account("snap"))).item() is None
    assert DESTINATION.missing(name, "website").startswith(f"destinations.snap.events.{name} (Snap's name")
    assert "options.app_id" in DESTINATION.missing(name, "app")


def test_its_times_and_limits() -> None:
    """2,000 events in a request; for how long an event is known is not said of v3."""
    assert DESTINATION.limits.events == 2000
    assert DESTINATION.windows.dedup is None


@pytest.mark.parametrize("name", sorted(set(DESTINATION.event_names.values())))
def test_every_name_is_one_of_the_documents(name: str) -> None:
    """Another one would be refused."""
    assert name in stand_in.NAMES


@pytest.mark.parametrize(
    "change",
    [
        {"user_data": {"em": "person@example.com"}},
        {"user_data": {"client_ip_address": "a" * 64, "client_user_agent": "x"}},
        {"user_data": {"client_user_agent": "x", "sc_click_id": "x"}},
        {"action_source": "WEB"},
        {"action_source": "app", "app_data": {"extinfo": ["i2"]}},
        {"event_name": "PURCHASE", "custom_data": {"value": 1}},
        {"event_name": "Donate"},
        {"data_processing_options": ["LDU"]},
    ],
)
def test_the_stand_in_names_the_bad_event_and_refuses_all(change: dict[str, object]) -> None:
    """Each of the documented causes; the answer's form is the description's."""
    upload = _judged([GOOD, {**GOOD, **change}])
    answer = json.loads(upload.answer.body)
    assert (upload.answer.status, answer["status"], answer["event"]) == (400, "INVALID", 1)
    assert (upload.refused, upload.events, upload.sent) == ("INVALID", (), 2)


@pytest.mark.parametrize("moment", [AT * 1000, AT - 38 * 86_400, AT + 7200])
def test_the_stand_in_minds_times(moment: int) -> None:
    """Milliseconds, more than 37 days ago, or to come; the answer has the form that is seen, without a position."""
    answer = json.loads(_judged([{**GOOD, "event_time": moment}]).answer.body)
    assert answer == {"status": "INVALID", "error_msgs": ["Param data['event_time'] is an invalid Unix timestamp."]}


def test_the_stand_in_takes_the_token_from_the_query_only() -> None:
    """And knows an event again by pixel, name and id."""
    upload = _judged([{**GOOD, "action_source": "physical_store", "event_time": AT - 36 * 86_400}])
    assert upload.token_from == "query"
    assert upload.events[0].key == ("snap", "77", "SEARCH", "a")
    assert upload.events[0].window == timedelta(hours=48)
    assert _judged([GOOD], {}).answer.status == 401


def _judged(events: list[object], query: dict[str, str] | None = None) -> stand_in.Upload:
    given = {"access_token": "right"} if query is None else query
    headers = {"authorization": "Bearer right"}
    call = Call("POST", "/v3/77/events", given, headers, json.dumps({"data": events}).encode())
    return stand_in.Platform(Access("right", None, "")).judge(call, NOW, "trace", None)
