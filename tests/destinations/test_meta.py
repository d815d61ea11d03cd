"""Meta: the events of the golden files, the request around them, and what each answer means."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.frames import event_frame
from tests.support.sandbox_events import judge
from uploader.destinations.interface import Account, Response, Secret, Verdict
from uploader.destinations.meta import DESTINATION
from uploader.encode import encode, leaf_paths
from uploader.errors import ConfigurationError

HERE = Path(__file__).parent
GOLDEN = sorted((HERE / "golden" / "meta").glob("*.json"))
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
# What the outbox holds, as it says nobody: they are about the encoding of the rest.
WITHOUT_A_PERSON = {"minimal": "100", "nasty_strings": "100/2804050"}
# Orders without a session, as the documents on money, limited use and lists need none.
WITHOUT_A_VISIT = {
    *("browser_event_id", "empty_lists", "ipv6_and_appendix", "jpy", "kwd", "largest_value", "lines_with_gaps"),
    *(path.stem for path in GOLDEN if path.stem.startswith("limited_data_use_")),
    "zero_value",
}
# Standard names that no table of the shop makes; a shop can still send them under their names.
NOT_MADE = {"CustomizeProduct", "Donate", "FindLocation"}
ACCOUNT = Account("1234567890", "https://graph.facebook.com", "v26.0", Secret("EAAB-token"))
with (HERE / "answers" / "meta.csv").open(encoding="utf-8") as _file:
    ANSWERS = list(csv.DictReader(_file))

# Meta answers in the language of the account: the text must not matter.
TEXTS = (
    "(#100) Invalid parameter",
    "Ungültiger Parameter: Zeitstempel liegt zu weit zurück",
    "Paramètre non valide – réessayez plus tard",
    "Ugyldig parameter",
    "無効なパラメータ",
    "Service temporarily unavailable. Please retry: rate limit reached (#4), access token expired (#190)",
)


def _error(**fields: Any) -> bytes:
    return orjson.dumps({"error": {"message": "x", "type": "OAuthException", "fbtrace_id": "AbC-12_z"} | fields})


def _encoded(*rows: dict[str, Any]) -> list[tuple[str, int]]:
    encoded = encode(event_frame(*rows), DESTINATION.body(ACCOUNT))
    return list(zip(encoded.payloads(), encoded.fields, strict=True))


def _exactly(text: str) -> str:
    """Bring JSON into one form that keeps the order of keys and the digits of numbers."""
    return json.dumps(json.loads(text, parse_float=Decimal), default=str, ensure_ascii=False)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_event_as_meta_documents_it(path: Path) -> None:
    """A row of the marts becomes the event written by hand, keys in order, numbers to the digit."""
    case = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    payload = encode(event_frame(case["row"]), DESTINATION.body(ACCOUNT)).payloads()[0]
    assert _exactly(json.dumps(case["event"], default=str)) == _exactly(payload)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_sandbox_takes_the_event(path: Path) -> None:
    """The other reader of the documents accepts it, and misses nothing but what a visit would have told."""
    row = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)["row"]
    judged = judge(encode(event_frame(row), DESTINATION.body(ACCOUNT)).payloads()[0], now=NOW)
    assert (judged.refusal.label if judged.refusal else None) == WITHOUT_A_PERSON.get(path.stem)
    assert set(judged.warnings) <= {"website_without_event_source_url", "website_without_client_user_agent"}
    assert not judged.warnings or path.stem in WITHOUT_A_VISIT


def test_every_kind_of_event_has_a_golden_file() -> None:
    """Each name that the shop's tables make, each source and each channel is written down by hand."""
    events = [json.loads(path.read_text(encoding="utf-8"))["event"] for path in GOLDEN]
    assert {*DESTINATION.event_names} - {event["event_name"] for event in events} == NOT_MADE
    assert {"website", "app", "physical_store", "phone_call", "email", "chat", "system_generated"} == {
        event["action_source"] for event in events
    } - {"business_messaging"}
    assert {"messenger", "whatsapp", "instagram", None} == {event.get("messaging_channel") for event in events}


@pytest.mark.parametrize("source", ["website", "app", "business_messaging", "system_generated", "physical_store"])
def test_a_source_sends_what_belongs_to_it(source: str) -> None:
    """Whatever a row holds: a page is of the website, a device of the app, a channel of a conversation."""
    places: dict[str, dict[str, Any]] = {
        "website": {"event_source_url": "https://shop.example.com/", "referrer_url": "https://www.example.org/"},
        "app": {"app_info": ["i2"], "vendor_id": "V", "advertiser_tracking_enabled": False, "anon_id": "A"},
        "business_messaging": {"messaging_channel": "messenger", "page_id": "1", "page_scoped_user_id": "2"},
    }
    row = {key: value for place in places.values() for key, value in place.items()}
    event = orjson.loads(encode(event_frame({**row, "action_source": source}), DESTINATION.body(ACCOUNT)).payloads()[0])
    found = {*event, *event.get("user_data", {}), *event.get("app_data", {})} & {*row, "extinfo"}
    assert found == {"extinfo" if key == "app_info" else key for key in places.get(source, {})}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("100000000000000", 100000000000000),
        ("99999999999999999", 99999999999999999),
        ("99999999999999", None),
        ("100000000000000000", None),
        ("012345678901234567", None),
        ("١٢٣٤٥٦٧٨٩٠١٢٣٤٥", None),
        ("525645896321548\n", None),
        ("525645896321548.0", None),
        ("", None),
    ],
)
def test_a_lead_id_is_a_number_of_15_to_17_digits(text: str, sent: int | None) -> None:
    """Anything else would refuse the whole request."""
    payload = encode(event_frame({"lead_id": text, "email_sha256": "a" * 64}), DESTINATION.body(ACCOUNT)).payloads()[0]
    assert orjson.loads(payload)["user_data"].get("lead_id") == sent


def test_rows_do_not_touch_each_other() -> None:
    """All golden rows encoded in one frame give what each gives alone."""
    rows = [json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)["row"] for path in GOLDEN]
    alone = [_encoded(row)[0] for row in rows]
    assert alone == _encoded(*rows)


def test_fields_name_what_left() -> None:
    """The bitmap of an event names its leaves by Meta's own keys."""
    frame = event_frame({"email_sha256": "a" * 64, "fbp": "fb.1.1763640000000.1"})
    fields = encode(frame, DESTINATION.body(ACCOUNT)).fields.item()
    named = [path for bit, path in enumerate(leaf_paths(DESTINATION.body(ACCOUNT))) if fields >> bit & 1]
    top = ["event_name", "event_time", "event_id", "action_source"]
    assert [*top, "user_data.em", "user_data.fbp", "custom_data.value", "custom_data.currency"] == named[:-1]
    assert named[-1] == "custom_data.order_id"


def test_request_goes_to_the_dataset() -> None:
    """Version and dataset stand in the address, the token in a header, the events in ``data``."""
    request = DESTINATION.request(ACCOUNT, b'{"event_name":"A"},{"event_name":"B"}')
    assert request.url == "https://graph.facebook.com/v26.0/1234567890/events"
    assert orjson.loads(request.body) == {"data": [{"event_name": "A"}, {"event_name": "B"}]}
    assert request.headers == {"Content-Type": "application/json"}
    assert request.secret_headers["Authorization"].reveal() == "Bearer EAAB-token"


def test_test_code_stands_beside_the_events() -> None:
    """A test code is part of the body, and a code with odd signs stays one text."""
    account = Account("1", "http://127.0.0.1:8080/", "v26.0", Secret("t"), test_event_code='TEST"1')
    request = DESTINATION.request(account, b"{}")
    assert request.url == "http://127.0.0.1:8080/v26.0/1/events"
    assert orjson.loads(request.body) == {"data": [{}], "test_event_code": 'TEST"1'}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_url": "graph.facebook.com"}, "base_url"),
        ({"base_url": "https://user:pass@graph.facebook.com"}, "base_url"),
        ({"base_url": "https://graph.facebook.com?access_token=x"}, "base_url"),
        ({"base_url": "https://[::1"}, "base_url"),
        ({"base_url": "file:///etc"}, "base_url"),
        ({"api_version": "26"}, "api_version"),
        ({"api_version": "v26.0/../.."}, "api_version"),
        ({"dataset_id": ""}, "dataset_id"),
        ({"dataset_id": ".."}, "dataset_id"),
        ({"token": Secret("")}, "token"),
        ({"token": Secret("hidden\r\nX-Evil: 1")}, "token"),
    ],
)
def test_wrong_settings_are_named(change: dict[str, Any], message: str) -> None:
    """A setting that would send elsewhere, or break a header, is refused without showing the token."""
    good = {name: getattr(ACCOUNT, name) for name in ("dataset_id", "base_url", "api_version", "token")}
    with pytest.raises(ConfigurationError, match=message) as caught:
        DESTINATION.request(Account(**good | change), b"{}")
    assert "hidden" not in str(caught.value)


def test_dataset_cannot_leave_its_place_in_the_address() -> None:
    """Signs with a meaning in addresses are encoded."""
    account = Account("12/34?x=#", "https://graph.facebook.com", "v26.0", Secret("t"))
    assert DESTINATION.request(account, b"").url == "https://graph.facebook.com/v26.0/12%2F34%3Fx%3D%23/events"


def _name(case: dict[str, str]) -> str:
    return "-".join(part for part in (case["status"], case["code"], case["subcode"], case["is_transient"]) if part)


@pytest.mark.parametrize("case", ANSWERS, ids=_name)
def test_answer_is_read_by_its_codes(case: dict[str, str]) -> None:
    """Each status, code and subcode has one meaning, in whatever language the text is."""
    fields: dict[str, Any] = {key: int(case[column]) for key, column in _COLUMNS if case[column]}
    if case["is_transient"]:
        fields["is_transient"] = case["is_transient"] == "true"
    for text in TEXTS:
        body = _error(**fields, message=text, error_user_title=text, error_user_msg=text)
        outcome = DESTINATION.read_response(Response(int(case["status"]), body), 3)
        assert case["verdict"] == outcome.verdict
        assert text not in outcome.message
        assert outcome.message
    named = "/".join(case[column] for _, column in _COLUMNS if case[column])
    assert outcome.code == (named or f"http_{case['status']}")
    assert outcome.trace_id == "AbC-12_z"


_COLUMNS = (("code", "code"), ("error_subcode", "subcode"))


def test_there_are_enough_answers() -> None:
    """The table stays a table: every verdict that an error can mean is in it."""
    assert len(ANSWERS) >= 150
    assert {case["verdict"] for case in ANSWERS} == set(Verdict) - {Verdict.ACCEPTED, Verdict.PARTIAL, Verdict.NOT_SENT}


BODIES = {
    "empty": b"",
    "html": b"<!doctype html><title>502</title>",
    "cut off": b'{"error":{"code":1',
    "not UTF-8": b'{"error":{"message":"\xff\xfe","code":4}}',
    "a list": b"[]",
    "null": b"null",
    "NaN": b'{"events_received":NaN}',
    "too deep": b"[" * 100_000,
    "deep": b'{"error":{"error_data":' + b"[" * 900 + b"]" * 900 + b"}}",
    "huge number": b'{"error":{"code":' + b"9" * 5000 + b"}}",
    "large number": b'{"error":{"code":18446744073709551615}}',
    "texts for numbers": b'{"error":{"code":"x","error_subcode":[]}}',
    "error is a text": b'{"error":"no"}',
    "lone surrogate": b'{"error":{"message":"\\ud800"}}',
}
WITHOUT_CODE = {200: "in_doubt", 400: "refused", 401: "blocked", 404: "blocked", 413: "too_big", 429: "throttled"}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(("status", "verdict"), (WITHOUT_CODE | {502: "in_doubt"}).items())
def test_unreadable_answer_is_read_by_its_status(body: bytes, status: int, verdict: str) -> None:
    """What cannot be read never raises, never counts as success, and leaves the status to decide."""
    outcome = DESTINATION.read_response(Response(status, body), 1)
    assert (verdict, f"http_{status}") == (outcome.verdict, outcome.code)


def test_success_is_a_confirmed_count() -> None:
    """Only HTTP 200 with the very number of events is a success."""
    body = b'{"events_received":2,"messages":["a warning"],"fbtrace_id":"AbC"}'
    outcome = DESTINATION.read_response(Response(200, body), 2)
    assert (outcome.verdict, outcome.trace_id, outcome.code) == (Verdict.ACCEPTED, "AbC", None)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"events_received":1}'),
        (200, b'{"events_received":3}'),
        (200, b'{"events_received":"2"}'),
        (200, b'{"events_received":2.0}'),
        (200, b'{"events_received":true}'),
        (200, b'{"success":true}'),
        (200, b'{"success":false}'),
        (200, b'{"events_received":2,"error":{"code":100}}'),
        (200, b'{"error":{"code":190}}'),
        (201, b'{"events_received":2}'),
        (202, b'{"events_received":2}'),
        (204, b""),
        (206, b'{"events_received":2}'),
        (301, b'{"events_received":2}'),
        (302, b""),
        (303, b""),
        (307, b""),
        (308, b'{"error":{"code":100,"error_subcode":2804003}}'),
        (100, b""),
    ],
)
def test_anything_else_is_in_doubt(status: int, body: bytes) -> None:
    """Another count, another status, a redirect: it cannot be known what happened."""
    assert DESTINATION.read_response(Response(status, body), 2).verdict is Verdict.IN_DOUBT
