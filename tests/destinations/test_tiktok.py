"""TikTok: what its documents say beside the events and answers of the golden files."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.accounts import account
from tests.support.frames import event_frame
from uploader.destinations.tiktok import DESTINATION, STANDARD
from uploader.encode import encode
from uploader.errors import ConfigurationError
from uploader.sandbox.platforms import Access
from uploader.sandbox.platforms import tiktok as stand_in
from uploader.sandbox.wire import Call

IDS = {"app_id": "1", "offline_set_id": "2", "crm_set_id": "3"}
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
PATH = "/open_api/v1.3/event/track/"
# The first three from the reference, the others from what others test with.
VECTORS = [
    (
        "email_sha256",
        "email",
        "alice_abc@gmail.com",
        "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f",
    ),
    ("phone_e164_sha256", "phone", "+12133734253", "9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd"),
    (
        "external_id_sha256",
        "external_id",
        "user_123",
        "80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b",
    ),
    (
        "email_sha256",
        "email",
        "coreytest1231@gmail.com",
        "eb9869a32b532840dd6aa714f7a872d21d6f650fc5aa933d9feefc64708969c7",
    ),
    ("phone_e164_sha256", "phone", "+15555555555", "910a625c4ba147b544e6bd2f267e130ae14c591b6ba9c25cb8573322dedbebd0"),
    (
        "phone_e164_sha256",
        "phone",
        "+12345678901234",
        "00a63bd0437d6ca0fa7b95c00ab2e7c020faa71440e5246750d6b517689e6777",
    ),
    (
        "external_id_sha256",
        "external_id",
        "testid123",
        "481f202262e9c5ccc48d24e60798fadaa5f6ff1f8369f7ab927c04c3aa682a7f",
    ),
    ("first_name_sha256", "first_name", "test", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
]


@pytest.mark.parametrize(("column", "key", "text", "digest"), VECTORS)
def test_documented_hashes_stand_where_they_belong(column: str, key: str, text: str, digest: str) -> None:
    """The hash of the normalized text is the published one, and leaves under its key; lists where several may stand."""
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    user = _sent({column: digest})["user"]
    assert user == {key: digest if key == "first_name" else [digest]}


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ({"action_source": "website", "lead_id": "1" * 15}, "web"),
        ({"action_source": "app"}, "app"),
        ({"action_source": "physical_store"}, "offline"),
        ({"action_source": "chat"}, "offline"),
        ({"action_source": "phone_call", "lead_id": "1" * 15, "event_name": "Lead"}, "crm"),
        ({"action_source": "system_generated", "lead_id": "1" * 15, "event_name": "ClosedWon"}, "crm"),
        ({"action_source": "system_generated", "event_source": "crm", "event_name": "Lead"}, "offline"),
        ({"action_source": "system_generated", "event_source": "crm", "event_name": "ClosedWon"}, None),
    ],
)
def test_each_source_has_a_place_of_its_own(row: dict[str, str], place: str | None) -> None:
    """CRM events need a lead's id, and offline events a standard name: what has neither goes nowhere."""
    mine = account("tiktok", {"options": IDS})
    assert event_frame(row).select(DESTINATION.place(mine)).item() == place
    request = DESTINATION.request(mine, b"{}", place or "web")
    expected = {"web": DESTINATION.dataset_example, "app": "1", "offline": "2", "crm": "3"}[place or "web"]
    assert json.loads(request.body) == {"event_source": place or "web", "event_source_id": expected, "data": [{}]}


@pytest.mark.parametrize("source", ["app", "physical_store", "system_generated"])
def test_without_an_id_there_is_no_place(source: str) -> None:
    """The event waits, and the setting that it waits for is named."""
    row = {"action_source": source, "lead_id": "1" * 15, "event_name": "Lead"}
    assert event_frame(row).select(DESTINATION.place(account("tiktok"))).item() is None
    key = "app_id" if source == "app" else "offline_set_id"
    assert DESTINATION.missing("Lead", source).startswith(f"destinations.tiktok.options.{key} (")
    with pytest.raises(ConfigurationError, match=rf"options\.{key} is missing"):
        DESTINATION.request(account("tiktok"), b"{}", "app" if source == "app" else "offline")


def test_an_offline_event_waits_for_a_standard_name() -> None:
    """Its own name would be refused; a standard one in the settings gives it a place."""
    row = {"action_source": "chat", "event_name": "Donate"}
    told = DESTINATION.missing("Donate", "chat")
    assert told.startswith("destinations.tiktok.events.Donate (")
    assert "options.offline_set_id" in told
    mine = account("tiktok", {"options": IDS, "events": {"Donate": "Purchase"}})
    assert event_frame(row).select(DESTINATION.place(mine)).item() == "offline"


def test_the_address_ends_with_a_slash_and_the_token_stands_alone() -> None:
    """A header of TikTok's own, without Bearer; a rehearsal's code stands in the body."""
    real, rehearsal = (
        DESTINATION.request(account("tiktok", given), b"{}") for given in ({}, {"test_event_code": "TEST1"})
    )
    assert real.url == rehearsal.url == f"https://business-api.tiktok.com{PATH}"
    assert list(real.secret_headers) == ["Access-Token"]
    assert real.secret_headers["Access-Token"].reveal() == account("tiktok").token.reveal()
    assert not real.secret_query
    assert json.loads(rehearsal.body)["test_event_code"] == "TEST1"


def test_its_times_and_limits() -> None:
    """1,000 events and 1,000 requests a second; 48 hours, but for apps, of which nothing is said."""
    assert DESTINATION.limits.events == 1000
    assert DESTINATION.requests_per_minute == 60_000
    assert DESTINATION.windows.dedup == timedelta(hours=48)
    assert DESTINATION.windows.dedup_by_source == {"app": None}


def test_its_names_are_the_documented_ones() -> None:
    """Both readers of the documents know the same standard events."""
    assert sorted(STANDARD) == sorted(stand_in.STANDARD)
    assert DESTINATION.event_names["Lead"] == "Lead"


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"user": {"email": ["x"]}}, 40002, "Batch.1.user: must be an object"),
        ({"event_time": 1795176000000}, 40002, "Batch.1.event_time: must be a time in seconds"),
        ({"event_id": 5}, 40002, "Batch.1.event_id: must be a non-empty string"),
        ({"properties": {"value": "10"}}, 40002, "Batch.1.properties: must be an object"),
        ({"page": None}, 40002, "Batch.1.page: is required"),
        ({"timestamp": "2026-11-20"}, 40002, "Batch.1.timestamp: is not known"),
    ],
)
def test_the_stand_in_names_the_bad_event_and_refuses_all(change: dict[str, object], code: int, text: str) -> None:
    """Types are enforced, and the older form of events is not taken."""
    good = {
        "event": "Purchase",
        "event_time": 1795176000,
        "user": {"ip": "203.0.113.1"},
        "page": {"url": "https://shop.example.com/"},
    }
    upload = _judged([good, {**good, **change}])
    assert json.loads(upload.answer.body)["code"] == code
    assert text in json.loads(upload.answer.body)["message"]
    assert (upload.refused, upload.events, upload.sent, upload.answer.status) == (str(code), (), 2, 200)


def test_the_stand_in_knows_an_event_by_set_name_and_id() -> None:
    """The key of its deduplication, for 48 hours."""
    event = {"event": "Lead", "event_time": 1795176000, "event_id": "a", "user": {"phone": "a" * 64}}
    (taken,) = _judged([event], "offline").events
    assert taken.key == ("tiktok", "1", "Lead", "a")
    assert taken.window == timedelta(hours=48)


def _judged(events: list[object], source: str = "web") -> stand_in.Upload:
    body = {"event_source": source, "event_source_id": "1", "data": events}
    call = Call("POST", PATH, {}, {"access-token": "right"}, json.dumps(body).encode())
    return stand_in.Platform(Access("right", None, "")).judge(call, NOW, "trace", None)


def _sent(row: dict[str, object]) -> dict[str, dict[str, object]]:
    (payload,) = encode(event_frame(row), DESTINATION.body(account("tiktok"))).payloads()
    found = json.loads(payload)
    assert isinstance(found, dict)
    return found
