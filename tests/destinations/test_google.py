"""Google Ads: what its documents say beside the events and answers of the golden files."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.accounts import account
from tests.support.frames import event_frame
from uploader.destinations.google import DESTINATION
from uploader.destinations.interface import Auth, Response
from uploader.encode import encode
from uploader.errors import ConfigurationError
from uploader.sandbox.platforms import Access
from uploader.sandbox.platforms.google import Platform
from uploader.sandbox.received import Upload
from uploader.sandbox.wire import Call, json_answer

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
TOKEN = "sandbox-token"
BEARER = {"authorization": f"Bearer {TOKEN}"}
EMAIL = "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"
PHONE = "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"
EVENT = {"transactionId": "1", "eventTimestamp": "2026-11-20T12:00:00Z", "eventSource": "WEB"}
SOMEBODY = {"adIdentifiers": {"gclid": "Cj0KCQ"}}


def _sent(given: dict[str, Any] | None = None, place: str = "123456789") -> dict[str, Any]:
    """Return the body of a request for an account."""
    found: dict[str, Any] = json.loads(DESTINATION.request(account("google", given), b'{"a":1}', place).body)
    return found


def _payload(row: dict[str, Any]) -> dict[str, Any]:
    mine = account("google")
    found: dict[str, Any] = json.loads(encode(event_frame(row), DESTINATION.body(mine)).payloads()[0])
    return found


def _judged(*events: dict[str, Any], headers: dict[str, str] = BEARER, **around: Any) -> Upload:
    """Let the stand-in judge a request with these events; ``around`` changes what stands beside them."""
    whole = _sent() | {"events": list(events)} | around
    body = json.dumps({key: value for key, value in whole.items() if value is not None}).encode()
    stand_in = Platform(Access(TOKEN, frozenset({"2345678901"}), "v26.0"))
    return stand_in.judge(Call("POST", "/v1/events:ingest", {}, headers, body), NOW, "Trace_1", None)


def test_a_request_says_once_where_its_events_go() -> None:
    """Account and conversion action stand beside the events, and the form of the hashes does always."""
    request = DESTINATION.request(account("google"), b'{"a":1},{"b":2}', "123456789")
    assert request.url == "https://datamanager.googleapis.com/v1/events:ingest"
    assert request.body == (
        b'{"destinations":[{"operatingAccount":{"accountType":"GOOGLE_ADS","accountId":"2345678901"},'
        b'"productDestinationId":"123456789"}],"encoding":"HEX","events":[{"a":1},{"b":2}]}'
    )
    assert request.headers == {"Content-Type": "application/json"}
    assert not request.secret_headers
    assert not request.secret_query


def test_who_asks_and_who_pays_are_options() -> None:
    """A manager stands in the body, a project in a header."""
    options = {"login_account": "1112223333", "quota_project": "my-project-123"}
    request = DESTINATION.request(account("google", {"options": options}), b"{}", "7")
    assert json.loads(request.body)["destinations"][0] == {
        "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "2345678901"},
        "loginAccount": {"accountType": "GOOGLE_ADS", "accountId": "1112223333"},
        "productDestinationId": "7",
    }
    assert request.headers["x-goog-user-project"] == "my-project-123"


def test_a_rehearsal_is_validated_only() -> None:
    """Any code makes one; the address stays, and the stand-in counts nothing."""
    assert "validateOnly" not in _sent()
    assert _sent({"test_event_code": "any"})["validateOnly"] is True
    assert _judged(EVENT | SOMEBODY, validateOnly=True).is_test
    assert not _judged(EVENT | SOMEBODY).is_test


def test_it_comes_by_oauth_for_one_scope() -> None:
    """The engine gets the access token, from Google's own server of tokens."""
    assert DESTINATION.auth is Auth.OAUTH2
    assert DESTINATION.auth_hosts == ("oauth2.googleapis.com",)
    assert DESTINATION.auth_scope == "https://www.googleapis.com/auth/datamanager"


def test_an_account_with_hyphens_is_none() -> None:
    """Google shows 123-456-7890, and takes the digits alone."""
    with pytest.raises(ConfigurationError, match="without hyphens"):
        DESTINATION.request(account("google", {"dataset_id": "123-456-7890"}), b"{}")


def test_events_of_two_actions_never_share_a_request() -> None:
    """A place is a conversion action; an event without one, or with something else for one, waits for the setting."""
    mine = account("google", {"events": {"Lead": "7", "Search": "my search", "PageView": ""}})
    names = ("Purchase", "Lead", "lead", "Search", "PageView", "Contact")
    places = event_frame(*({"event_name": name} for name in names)).select(DESTINATION.place(mine)).to_series()
    assert places.to_list() == ["123456789", "7", "7", None, None, None]
    message = DESTINATION.missing("Contact", "website")
    assert message.startswith("destinations.google.events.Contact ")
    assert "123456789" in message


def test_an_account_without_actions_has_no_place() -> None:
    """Nothing is guessed: an action is an id that only the account knows."""
    mine = account("google", {"events": dict.fromkeys(("Purchase", "Lead"), "")})
    assert event_frame({}).select(DESTINATION.place(mine)).item() is None


@pytest.mark.parametrize(
    ("normalized", "digest", "column", "key"),
    [
        ("alexz@example.com", EMAIL, "email_gmail_sha256", "emailAddress"),
        ("+18005550100", PHONE, "phone_e164_sha256", "phoneNumber"),
    ],
)
def test_identifiers_are_hashed_as_documented(normalized: str, digest: str, column: str, key: str) -> None:
    """The documents' own examples, from the column with that rule and from no other."""
    assert hashlib.sha256(normalized.encode()).hexdigest() == digest
    others = dict.fromkeys(("email_sha256", "email_microsoft_sha256", "phone_digits_sha256"), "0" * 64)
    assert _payload(others | {column: digest})["userData"] == {"userIdentifiers": [{key: digest}]}


@pytest.mark.parametrize(
    ("source", "theirs"),
    [
        ("website", "WEB"),
        ("app", "APP"),
        ("physical_store", "IN_STORE"),
        ("phone_call", "PHONE"),
        ("chat", "MESSAGE"),
        ("business_messaging", "MESSAGE"),
        ("email", "OTHER"),
        ("system_generated", "OTHER"),
        ("other", "OTHER"),
    ],
)
def test_every_source_has_a_name(source: str, theirs: str) -> None:
    """An event without a source was refused, though the documents call it optional."""
    assert _payload({"action_source": source})["eventSource"] == theirs


@pytest.mark.parametrize("at_event", ["granted", "denied", None])
@pytest.mark.parametrize("as_of", ["granted", "denied", None])
def test_consent_is_claimed_only_where_it_was_given(at_event: str | None, as_of: str | None) -> None:
    """At the event and ever since; anything else is left unspecified."""
    found = _payload({"consent_at_event": at_event, "consent_at_as_of": as_of})
    both = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
    assert found.get("consent") == (both if (at_event, as_of) == ("granted", "granted") else None)


def test_amounts_are_numbers() -> None:
    """In units of the currency, never as text."""
    lines = [{"id": "A", "quantity": 2, "item_price": "19.99"}]
    found = _payload({"value": "39.98", "contents": lines})
    assert found["conversionValue"] == 39.98
    assert found["cartData"]["items"] == [{"merchantProductId": "A", "quantity": 2, "unitPrice": 19.99}]


@pytest.mark.parametrize("contents", [None, []])
def test_no_merchant_without_lines(contents: list[Any] | None) -> None:
    """The account of the products says nothing by itself."""
    mine = account("google", {"options": {"merchant_id": "5550001"}})
    frame = event_frame({"contents": contents})
    assert "cartData" not in json.loads(encode(frame, DESTINATION.body(mine)).payloads()[0])


def test_limits_are_those_of_the_documents() -> None:
    """2,000 events a request and 300 requests a minute; a larger request would be refused whole."""
    assert (DESTINATION.limits.events, DESTINATION.requests_per_minute) == (2000, 300)
    assert DESTINATION.windows.dedup is None
    assert not DESTINATION.windows.first_wins
    assert _judged(*[EVENT | SOMEBODY] * 2000).refused is None
    upload = _judged(*[EVENT | SOMEBODY] * 2001)
    assert (upload.refused, upload.events) == ("TOO_MANY_EVENTS", ())
    assert DESTINATION.read_response(Response(upload.answer.status, upload.answer.body), 2001).verdict == "too_big"


def test_a_bad_event_is_found_by_its_place() -> None:
    """One of three is refused: nothing is counted, and the answer names its position."""
    good = EVENT | SOMEBODY
    upload = _judged(good, good | {"currency": "EURO"}, good)
    outcome = DESTINATION.read_response(Response(upload.answer.status, upload.answer.body), 3)
    assert not upload.events
    assert (outcome.verdict, outcome.code, outcome.culprits) == ("refused", "INVALID_CURRENCY_CODE", (1,))


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"unknown": 1}, "INVALID_ARGUMENT"),
        ({"eventSource": None}, "REQUIRED_FIELD_MISSING"),
        ({"eventTimestamp": "2026-11-20 12:00:00"}, "EVENT_TIME_INVALID"),
        ({"eventTimestamp": "2026-11-20T14:00:00Z"}, "EVENT_TIME_INVALID"),
        ({"adIdentifiers": {}}, "NO_IDENTIFIERS_PROVIDED"),
        ({"adIdentifiers": {"gbraid": "a", "wbraid": "b"}}, "GBRAID_WBRAID_BOTH_SET"),
        ({"userData": {"userIdentifiers": [{"emailAddress": "a@example.com"}]}}, "INVALID_SHA256_FORMAT"),
        ({"userData": {"userIdentifiers": [{"emailAddress": EMAIL, "phoneNumber": PHONE}]}}, "INVALID_ARGUMENT"),
        ({"conversionValue": "12"}, "INVALID_ARGUMENT"),
        ({"consent": {"adUserData": "GRANTED"}}, "INVALID_ARGUMENT"),
    ],
)
def test_the_stand_in_refuses_what_google_would(changed: dict[str, Any], refused: str) -> None:
    """Each rule by itself, on an event that is taken without the change."""
    upload = _judged(EVENT | SOMEBODY | changed)
    assert (upload.refused, upload.answer.status, upload.events) == (refused, 400, ())


def test_hashes_need_their_form_named() -> None:
    """Without `encoding` nobody knows what a hash is written in."""
    event = EVENT | {"userData": {"userIdentifiers": [{"emailAddress": EMAIL}]}}
    assert _judged(event).refused is None
    assert _judged(event, encoding=None).refused == "REQUIRED_FIELD_MISSING"


def test_the_stand_in_knows_who_may_write() -> None:
    """Another token is nobody's, another account is not this token's; neither blames an event."""
    elsewhere = [{"operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "9"}, "productDestinationId": "7"}]
    strangers = _judged(EVENT | SOMEBODY, headers={}), _judged(EVENT | SOMEBODY, destinations=elsewhere)
    assert [(upload.answer.status, upload.refused) for upload in strangers] == [
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
    ]
    for upload in strangers:
        outcome = DESTINATION.read_response(Response(upload.answer.status, upload.answer.body), 1)
        assert (outcome.verdict, outcome.culprits) == ("blocked", ())


def test_an_order_counts_once_for_each_action() -> None:
    """The transaction is the key; without one it is the click with its time."""
    plain = EVENT | SOMEBODY
    (first,), (again,) = _judged(plain).events, _judged(plain | {"conversionValue": 1}).events
    other = [_sent()["destinations"][0] | {"productDestinationId": "7"}]
    (elsewhere,) = _judged(plain, destinations=other).events
    (by_click,) = _judged({key: value for key, value in plain.items() if key != "transactionId"}).events
    assert first.key == again.key != elsewhere.key
    assert by_click.key[-2:] == ("Cj0KCQ", datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.mark.parametrize(("days", "whom", "counted"), [(62, {}, 1), (64, {}, 0), (64, SOMEBODY, 1), (91, SOMEBODY, 0)])
def test_the_stand_in_drops_what_is_too_old_after_it_took_it(days: int, whom: dict[str, Any], counted: int) -> None:
    """The answer is a success either way, as Google tells of age in its diagnostics only."""
    at = (NOW - timedelta(days=days)).isoformat()
    people = {"userData": {"userIdentifiers": [{"emailAddress": EMAIL}]}}
    upload = _judged(EVENT | people | whom | {"eventTimestamp": at})
    assert (upload.answer.status, len(upload.events)) == (200, counted)
    assert upload.refused == (None if counted else "EVENT_TOO_OLD")


def test_lines_beside_a_wbraid_are_a_warning() -> None:
    """The event counts, and the answer says which event it warns of."""
    lines = {"cartData": {"items": [{"merchantProductId": "A"}]}}
    upload = _judged(EVENT | SOMEBODY | lines, EVENT | {"adIdentifiers": {"wbraid": "a"}} | lines)
    assert (len(upload.events), dict(upload.warnings)) == (2, {"CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID": 1})
    assert json.loads(upload.answer.body)["fieldWarnings"][0]["field"] == "events.events[1].cart_data"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"}, 200),
        ({"grant_type": "refresh_token", "refresh_token": "r", "client_id": "i", "client_secret": "s"}, 200),
        ({"grant_type": "refresh_token", "client_id": "i", "client_secret": "s"}, 400),
        ({"grant_type": "password", "password": "p"}, 400),
        ({}, 400),
    ],
)
def test_the_stand_in_hands_out_access_tokens(fields: dict[str, str], status: int) -> None:
    """For either kind of credentials, and it is no upload."""
    stand_in = Platform(Access(TOKEN, None, "v26.0"))
    upload = stand_in.judge(Call("POST", "/token", {}, {}, urlencode(fields).encode()), NOW, "t", None)
    token = json_answer({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
    assert upload.answer.status == status
    assert status != 200 or upload.answer == token
    assert not upload.is_upload
    assert stand_in.is_mine("/token")
    assert not stand_in.is_upload("/token")


def test_the_stand_in_tells_of_a_request_that_was_received() -> None:
    """By its id, to whom has the token."""
    stand_in = Platform(Access(TOKEN, None, "v26.0"))
    path, query = "/v1/requestStatus:retrieve", {"requestId": "Trace_1"}
    calls = [Call("GET", path, query, BEARER), Call("GET", path, {}, BEARER), Call("GET", path, query, {})]
    uploads = [stand_in.judge(call, NOW, "t", None) for call in calls]
    assert [upload.answer.status for upload in uploads] == [200, 400, 401]
    assert json.loads(uploads[0].answer.body) == {"requestStatusPerDestination": [{"requestStatus": "SUCCESS"}]}
    assert not any(upload.is_upload for upload in uploads)
