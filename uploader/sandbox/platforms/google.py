"""Google's Data Manager API v1 by its reference, and by the message definitions of google-ads-datamanager 0.9.4.

https://developers.google.com/data-manager/api, read 2026-11-20. One wrong field refuses the whole request, and is named
by its place. It also hands out access tokens. Not published: how old an event may be (63 days here, 90 with a click id;
an older one is received, and dropped later), how far ahead, and for how long a transaction is known (90 days here).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
    OBJECT,
    TEXT,
    WHOLE,
    Shape,
    WrongShapeError,
    check,
    list_of,
    one_of,
    shaped,
    text_like,
)
from uploader.sandbox.stand_in import StandIn, bearer, json_body
from uploader.sandbox.wire import Answer, Call, UnreadableError, form_fields, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.sandbox.faults import Fault

INGEST: Final = "/v1/events:ingest"
TOKEN: Final = "/token"  # noqa: S105 - a path
STATUS: Final = "/v1/requestStatus:retrieve"
MAX_EVENTS: Final = 2000
MAX_DESTINATIONS: Final = 10
MAX_IDENTIFIERS: Final = 10
MAX_AGE: Final = timedelta(days=63)
MAX_AGE_OF_CLICKS: Final = timedelta(days=90)
MAX_AHEAD: Final = timedelta(minutes=5)
WINDOW: Final = timedelta(days=90)
GRANTS: Final = {
    "urn:ietf:params:oauth:grant-type:jwt-bearer": ("assertion",),
    "refresh_token": ("refresh_token", "client_id", "client_secret"),
}
CLICKS: Final = ("gclid", "gbraid", "wbraid")
DIGITS: Final = text_like(r"[0-9]+", "digits")
CHOICE: Final = one_of("CONSENT_GRANTED", "CONSENT_DENIED", "CONSENT_STATUS_UNSPECIFIED")
CONSENT: Final = shaped(dict.fromkeys(("adUserData", "adPersonalization"), CHOICE))
ACCOUNT: Final = shaped({"accountType": TEXT, "accountId": DIGITS}, "accountType", "accountId")
HASH: Final = re.compile(r"[0-9a-fA-F]{64}")
DEVICE: Final = shaped(
    dict.fromkeys(("userAgent", "ipAddress", "category", "languageCode", "model", "brand"), TEXT)
    | dict.fromkeys(("operatingSystem", "operatingSystemVersion", "browser", "browserVersion"), TEXT)
    | dict.fromkeys(("screenHeight", "screenWidth"), WHOLE)
)
MERCHANT: Final = dict.fromkeys(("merchantId", "merchantFeedLabel", "merchantFeedLanguageCode"), TEXT)
ITEM: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("merchantProductId", "itemId"), TEXT),
    "quantity": ("an integer, or its text", lambda value: WHOLE[1](value) or DIGITS[1](value)),
    **dict.fromkeys(("unitPrice", "conversionValue"), NUMBER),
    **dict.fromkeys(("additionalItemParameters", "customVariables"), list_of(OBJECT)),
    **MERCHANT,
}
CART: Final[Mapping[str, Shape]] = {
    **MERCHANT,
    "transactionDiscount": NUMBER,
    "couponCodes": list_of(TEXT),
    "items": list_of(shaped(ITEM)),
}
CLICK_IDS: Final[Mapping[str, Shape]] = {
    **dict.fromkeys((*CLICKS, "dclid", "impressionId", "matchId", "mobileDeviceId", "ppid", "visitorPpid"), TEXT),
    "encryptedUserIds": list_of(TEXT),
    "sessionAttributes": text_like(r"[A-Za-z0-9_=-]{1,4000}", "up to 4,000 characters of base64url"),
    "landingPageDeviceInfo": DEVICE,
}
IDENTIFIER: Final[Mapping[str, Shape]] = {"emailAddress": TEXT, "phoneNumber": TEXT, "address": OBJECT}
CUSTOMER: Final[Mapping[str, Shape]] = {
    "customerType": one_of("NEW", "RETURNING", "REENGAGED"),
    "customerValueBucket": one_of("LOW", "MEDIUM", "HIGH"),
    "additionalUserProperties": list_of(OBJECT),
}
EVENT: Final[Mapping[str, Shape]] = {
    "destinationReferences": list_of(TEXT),
    **dict.fromkeys(("transactionId", "eventTimestamp", "lastUpdatedTimestamp", "currency"), TEXT),
    "userData": shaped({"userIdentifiers": list_of(shaped(IDENTIFIER), most=MAX_IDENTIFIERS)}),
    "consent": CONSENT,
    "adIdentifiers": shaped(CLICK_IDS),
    **dict.fromkeys(("conversionValue", "conversionCount"), NUMBER),
    "eventSource": one_of("WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"),
    "eventDeviceInfo": DEVICE,
    "cartData": shaped(CART),
    **dict.fromkeys(("customVariables", "experimentalFields", "additionalEventParameters"), list_of(OBJECT)),
    "userProperties": shaped(CUSTOMER),
    **dict.fromkeys(("eventLocation", "thirdPartyUserData"), OBJECT),
    **dict.fromkeys(("eventName", "clientId", "userId", "appInstanceId"), TEXT),
}
DESTINATION: Final[Mapping[str, Shape]] = {
    "reference": TEXT,
    **dict.fromkeys(("operatingAccount", "loginAccount", "linkedAccount"), ACCOUNT),
    "productDestinationId": DIGITS,
}
BODY: Final[Mapping[str, Shape]] = {
    "destinations": list_of(ANYTHING),
    "events": list_of(ANYTHING),
    "consent": CONSENT,
    "encoding": one_of("HEX", "BASE64"),
    "encryptionInfo": OBJECT,
    "validateOnly": BOOLEAN,
}


class RefusedError(ValueError):
    """A request is refused: what is wrong where, if that is told, and the status in HTTP and in words."""

    def __init__(self, reason: str = "", field: str = "", *, status: int = 400, word: str = "INVALID_ARGUMENT") -> None:
        super().__init__(word)
        self.status, self.word, self.reason, self.field = status, word, reason, field

    def answer(self) -> Answer:
        """Return it as the platform tells it."""
        violation = {"field": self.field} | ({"reason": self.reason} if self.reason else {})
        details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
        error: dict[str, Any] = {"code": self.status, "message": "There was a problem.", "status": self.word}
        return json_answer({"error": error | ({"details": details} if self.field else {})}, self.status)


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path: ClassVar[re.Pattern[str]] = re.compile("|".join(map(re.escape, (INGEST, TOKEN, STATUS))))

    def is_upload(self, path: str) -> bool:
        """See `uploader.sandbox.platforms.Platform`."""
        return path == INGEST

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        if call.path != INGEST:
            answer = self._token(call) if call.path == TOKEN else self._status(call)
            return Upload("", answer, is_upload=False)
        body = json_body(call) or {}
        dataset_id, events = _account_of(body), body.get("events")
        sent = len(events) if isinstance(events, list) else 0
        is_test = body.get("validateOnly") is True
        try:
            self._check(call, body, dataset_id, now)
        except RefusedError as error:
            refused = error.reason or error.word
            return Upload(dataset_id, error.answer(), refused=refused, sent=sent, is_test=is_test)
        assert isinstance(events, list)  # noqa: S101 - checked before
        taken = tuple(_received(event, body) for event in events if not _is_too_old(event, now))
        ignored = [place for place, event in enumerate(events) if "cartData" in event and _has_braid(event)]
        warning = "CART_DATA_NOT_SUPPORTED_WITH_GBRAID_OR_WBRAID"
        told = [{"field": f"events.events[{place}].cart_data", "reason": warning} for place in ignored]
        return Upload(
            dataset_id,
            json_answer({"requestId": trace_id} | ({"fieldWarnings": told} if told else {})),
            taken,
            "EVENT_TOO_OLD" if len(taken) < sent else None,
            sent=sent,
            is_test=is_test,
            token_from="header",  # noqa: S106 - where it stood
            warnings={warning: len(ignored)} if ignored else {},
        )

    def _token(self, call: Call) -> Answer:
        """Hand out the one access token, for either kind of credentials."""
        try:
            fields = form_fields(call.body)
        except UnreadableError:
            fields = {}
        needed = GRANTS.get(fields.get("grant_type", ""))
        if call.method != "POST" or not needed or not all(fields.get(name) for name in needed):
            return json_answer({"error": "invalid_grant"}, 400)
        return json_answer({"access_token": self.access.token, "expires_in": 3600, "token_type": "Bearer"})

    def _status(self, call: Call) -> Answer:
        """Say that a request was processed: nothing is remembered of it."""
        if not self.is_token(bearer(call)):
            return RefusedError(status=401, word="UNAUTHENTICATED").answer()
        if call.method != "GET" or not call.query.get("requestId"):
            return RefusedError("REQUIRED_FIELD_MISSING", "request_id").answer()
        return json_answer({"requestStatusPerDestination": [{"requestStatus": "SUCCESS"}]})

    def _check(self, call: Call, body: Mapping[str, Any], dataset_id: str, now: datetime) -> None:
        """Raise `RefusedError` for the first thing that is wrong with a request."""
        if not self.is_token(bearer(call)):
            raise RefusedError(status=401, word="UNAUTHENTICATED")
        if call.method != "POST":
            raise RefusedError(status=404, word="NOT_FOUND")
        _shaped(body, BODY, "", "destinations", "events")
        events = body["events"]
        if not 1 <= len(body["destinations"]) <= MAX_DESTINATIONS:
            raise RefusedError(field="destinations")
        for place, destination in enumerate(body["destinations"]):
            _shaped(destination, DESTINATION, f"destinations[{place}]", "operatingAccount", "productDestinationId")
        if not self.is_known(dataset_id):
            raise RefusedError(status=403, word="PERMISSION_DENIED")
        if not 1 <= len(events) <= MAX_EVENTS:
            raise RefusedError("TOO_MANY_EVENTS" if events else "REQUIRED_FIELD_MISSING", "events")
        for place, event in enumerate(events):
            _check_event(event, body, now, f"events.events[{place}]")


def _shaped(found: Any, shapes: Mapping[str, Shape], path: str, *required: str) -> None:
    try:
        check(found, shapes, path, required=required)
    except WrongShapeError as error:
        reason = "REQUIRED_FIELD_MISSING" if error.problem == "is required" else ""
        # Errors name fields in snake case.
        raise RefusedError(reason, re.sub("[A-Z]", lambda big: f"_{big[0].lower()}", error.path)) from None


def _account_of(body: Mapping[str, Any]) -> str:
    """Return the account that a request is for, as far as it can be read."""
    try:
        return str(body["destinations"][0]["operatingAccount"]["accountId"])
    except (KeyError, IndexError, TypeError):
        return ""


def _check_event(event: Any, body: Mapping[str, Any], now: datetime, path: str) -> None:
    _shaped(event, EVENT, path, "eventTimestamp", "eventSource")
    happened = _moment(event["eventTimestamp"])
    if happened is None or happened > now + MAX_AHEAD:
        raise RefusedError("EVENT_TIME_INVALID", f"{path}.event_timestamp")
    _check_people(event, body, path)
    if "currency" in event and event["currency"] not in CURRENCIES:
        raise RefusedError("INVALID_CURRENCY_CODE", f"{path}.currency")
    if len(_clicks(event)) > 1:
        raise RefusedError("GBRAID_WBRAID_BOTH_SET", f"{path}.ad_identifiers")


def _check_people(event: Mapping[str, Any], body: Mapping[str, Any], path: str) -> None:
    """Judge whom an event is about: one identifier at least, and hashes in the form that the request says."""
    people = event.get("userData", {}).get("userIdentifiers", [])
    if not people and not _clicks(event) and "sessionAttributes" not in event.get("adIdentifiers", {}):
        raise RefusedError("NO_IDENTIFIERS_PROVIDED", path)
    if people and "encoding" not in body:
        raise RefusedError("REQUIRED_FIELD_MISSING", "encoding")
    for place, person in enumerate(people):
        field = f"{path}.user_data.user_identifiers[{place}]"
        if len(person) != 1:
            raise RefusedError(field=field)
        ((kind, value),) = person.items()
        if kind != "address" and body["encoding"] == "HEX" and not HASH.fullmatch(value):
            raise RefusedError("INVALID_SHA256_FORMAT", field)


def _moment(text: str) -> datetime | None:
    """Read a time by RFC 3339; None unless it says its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo and "T" in text else None


def _clicks(event: Mapping[str, Any]) -> list[str]:
    return [name for name in CLICKS if name in event.get("adIdentifiers", {})]


def _has_braid(event: Mapping[str, Any]) -> bool:
    return _clicks(event) not in ([], ["gclid"])


def _is_too_old(event: Mapping[str, Any], now: datetime) -> bool:
    happened = _moment(event["eventTimestamp"])
    return happened is not None and happened < now - (MAX_AGE_OF_CLICKS if _clicks(event) else MAX_AGE)


def _received(event: Mapping[str, Any], body: Mapping[str, Any]) -> Received:
    """Return an event as it counts; without a transaction it is known by its click and time."""
    action, happened = body["destinations"][0]["productDestinationId"], _moment(event["eventTimestamp"])
    assert happened is not None  # noqa: S101 - checked before
    transaction, clicks = event.get("transactionId"), event.get("adIdentifiers", {})
    people, value = event.get("userData", {}).get("userIdentifiers", []), event.get("conversionValue")
    known_by = (transaction,) if transaction else (clicks.get("gclid"), happened) if "gclid" in clicks else ()
    return Received(
        event_name=action,
        event_id=transaction,
        event_time=int(happened.timestamp()),
        action_source=event["eventSource"],
        order_id=transaction,
        value=None if value is None else Decimal(value),
        currency=event.get("currency"),
        user_data=(*(kind for person in people for kind in person), *_clicks(event)),
        key=("google", _account_of(body), action, *known_by) if known_by else (),
        window=WINDOW,
    )
