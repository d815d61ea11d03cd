"""Google Analytics 4's Measurement Protocol by its reference and the pages on validation and repeated transactions.

https://developers.google.com/analytics/devguides/collection/protocol/ga4 and
https://support.google.com/analytics/answer/12313109, read 2026-11-20. It says 204 to whatever arrives: what it threw
away is in the books only, as refused. The server for validation tells what is wrong, and counts nothing. Not published:
for how long a transaction is known (a year here), and that a key which is not documented is an error in production too.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import (
    NUMBER,
    OBJECT,
    SHA256,
    TEXT,
    WHOLE,
    Shape,
    WrongShapeError,
    check,
    is_number,
    list_of,
    one_of,
    shaped,
    text_like,
)
from uploader.sandbox.stand_in import StandIn, json_body
from uploader.sandbox.wire import Answer, Call, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.sandbox.faults import Fault

MAX_AGE: Final = timedelta(hours=72)
WINDOW: Final = timedelta(days=365)
MAX_BYTES: Final = 130_000
MOST: Final = 25
MOST_ITEMS: Final = 200
LONGEST: Final[Mapping[str, int]] = {"page_title": 300, "page_referrer": 420, "page_location": 1000}
LONGEST_VALUE: Final = 100
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
RESERVED: Final = re.compile(
    r"ad_(activeview|click|exposure|impression|query|reward)|adunit_exposure|app_(clear_data|exception|install|remove)"
    r"|app_(store_refund|update|upgrade)|dynamic_link_.*|error|firebase_.*|first_(open|visit)|in_app_purchase"
    r"|notification_.*|os_update|screen_view|session_start|user_engagement"
)
RESERVED_PARAMETER: Final = re.compile(r"(_|firebase_|ga_|google_|gtag\.).*")
HASHES: Final = list_of(SHA256, most=3)
GRANT: Final = one_of("GRANTED", "DENIED")
BODY: Final[Mapping[str, Shape]] = {
    "client_id": text_like(r"[0-9]+\.[0-9]+", "two positive numbers joined by a dot"),
    "user_id": text_like(r".{1,256}", "a string of up to 256 characters"),
    "timestamp_micros": WHOLE,
    "user_properties": OBJECT,
    "user_data": shaped(
        {"sha256_email_address": HASHES, "sha256_phone_number": HASHES, "address": list_of(OBJECT, most=2)}
    ),
    "consent": shaped({"ad_user_data": GRANT, "ad_personalization": GRANT}),
    **dict.fromkeys(("user_location", "device"), OBJECT),
    **dict.fromkeys(("ip_override", "user_agent"), TEXT),
    "validation_behavior": one_of("RELAXED", "ENFORCE_RECOMMENDATIONS"),
    "events": list_of(OBJECT),
}
EVENT: Final[Mapping[str, Shape]] = {"name": TEXT, "params": OBJECT, "timestamp_micros": WHOLE}
ITEM: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("item_id", "item_name", "item_brand", "item_category", "item_variant", "coupon"), TEXT),
    **dict.fromkeys(("item_list_id", "item_list_name", "location_id", "affiliation"), TEXT),
    **{f"item_category{level}": TEXT for level in range(2, 6)},
    **dict.fromkeys(("price", "discount"), NUMBER),
    **dict.fromkeys(("quantity", "index"), WHOLE),
}


class InvalidError(ValueError):
    """Something is wrong: where, in words, and under which code."""

    def __init__(self, code: str, path: str, text: str) -> None:
        super().__init__(text)
        self.code, self.path = code, path


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path: ClassVar[re.Pattern[str]] = re.compile(r"(?:/debug)?/mp/collect")

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        dataset_id = call.query.get("measurement_id", "")
        is_test = call.path.startswith("/debug/")
        if call.method != "POST":
            return Upload(dataset_id, json_answer({}, 405), refused="method", is_upload=False)
        if len(call.body) >= MAX_BYTES:
            return Upload(dataset_id, Answer(413, b"", "text/html"), refused="size", is_test=is_test)
        body: dict[str, Any] = json_body(call) or {}
        sent = len(body["events"]) if isinstance(body.get("events"), list) else 0
        found = None if is_test else self._stranger(call)
        try:
            _check(body, now)
        except InvalidError as error:
            found = found or error
        if is_test:
            told = [{"fieldPath": found.path, "description": str(found), "validationCode": found.code}] if found else []
            answer = json_answer({"validationMessages": told})
        else:
            answer = Answer(204, b"")
        taken = () if found else tuple(_received(event, body, now) for event in body["events"])
        return Upload(
            dataset_id,
            answer,
            taken,
            found.code if found else None,
            sent=sent,
            is_test=is_test,
            token_from="query",  # noqa: S106 - where it stood
        )

    def _stranger(self, call: Call) -> InvalidError | None:
        """Say why a call is thrown away unread; the server for validation does not look at that."""
        if not self.is_token(call.query.get("api_secret")):
            return InvalidError("api_secret", "", "The secret is wrong.")
        if not call.query.get("measurement_id") or not self.is_known(call.query["measurement_id"]):
            return InvalidError("measurement_id", "", "There is no such stream.")
        return None


def _shaped(found: Any, shapes: Mapping[str, Shape], path: str, *required: str) -> None:
    try:
        check(found, shapes, path, required=required)
    except WrongShapeError as error:
        code = "VALUE_REQUIRED" if error.problem == "is required" else "VALUE_INVALID"
        raise InvalidError(code, error.path, error.problem) from None


def _check(body: Mapping[str, Any], now: datetime) -> None:
    """Raise `InvalidError` for the first thing that is wrong with a request."""
    _shaped(body, BODY, "", "client_id", "events")
    if not 1 <= len(body["events"]) <= MOST:
        raise InvalidError("EXCEEDED_MAX_ENTITIES", "events", f"must have 1 to {MOST} items")
    for place, event in enumerate(body["events"]):
        path = f"events[{place}]"
        _shaped(event, EVENT, path, "name")
        if not NAME.fullmatch(event["name"]):
            raise InvalidError("NAME_INVALID", path, "is no name of an event")
        if RESERVED.fullmatch(event["name"]):
            raise InvalidError("NAME_RESERVED", path, "is a reserved name")
        _check_parameters(event["name"], event.get("params", {}), f"{path}.params")
        is_old = _microseconds(event, body, now) < _oldest(now)
        if is_old and body.get("validation_behavior") == "ENFORCE_RECOMMENDATIONS":
            raise InvalidError("VALUE_OUT_OF_BOUNDS", "timestamp_micros", "is more than 72 hours ago")


def _check_parameters(event_name: str, parameters: Mapping[str, Any], path: str) -> None:
    if len(parameters) > MOST:
        raise InvalidError("EXCEEDED_MAX_ENTITIES", path, f"must be {MOST} at most")
    for name, value in parameters.items():
        if RESERVED_PARAMETER.fullmatch(name):
            raise InvalidError("NAME_RESERVED", f"{path}.{name}", "is a reserved name")
        if not NAME.fullmatch(name):
            raise InvalidError("NAME_INVALID", f"{path}.{name}", "is no name of a parameter")
        if name == "items":
            _check_items(value, f"{path}.items")
        else:
            _check_value(value, f"{path}.{name}", LONGEST.get(name, LONGEST_VALUE))
    if event_name == "purchase" and parameters.get("transaction_id", "") == "":
        raise InvalidError("VALUE_REQUIRED", f"{path}.transaction_id", "is required")
    if "value" in parameters and "currency" not in parameters:
        raise InvalidError("VALUE_REQUIRED", f"{path}.currency", "is required with a value")
    if "value" in parameters and not is_number(parameters["value"]):
        raise InvalidError("VALUE_INVALID", f"{path}.value", "must be a number")
    if parameters.get("currency", "EUR") not in CURRENCIES:
        raise InvalidError("VALUE_INVALID", f"{path}.currency", "must be a code of ISO 4217")


def _check_items(items: Any, path: str) -> None:
    if not isinstance(items, list) or len(items) > MOST_ITEMS:
        raise InvalidError("VALUE_INVALID", path, f"must be a list of up to {MOST_ITEMS}")
    for place, item in enumerate(items):
        _shaped(item, ITEM, f"{path}[{place}]")
        if not {"item_id", "item_name"} & item.keys():
            raise InvalidError("VALUE_REQUIRED", f"{path}[{place}]", "needs item_id or item_name")
        for name, value in item.items():
            _check_value(value, f"{path}[{place}].{name}", LONGEST_VALUE)


def _check_value(value: Any, path: str, longest: int) -> None:
    if not isinstance(value, str) and not is_number(value):
        raise InvalidError("VALUE_INVALID", path, "must be a string or a number")
    if isinstance(value, str) and len(value) > longest:
        raise InvalidError("VALUE_OUT_OF_BOUNDS", path, f"must be {longest} characters at most")


def _oldest(now: datetime) -> int:
    return int((now - MAX_AGE).timestamp()) * 1_000_000


def _microseconds(event: Mapping[str, Any], body: Mapping[str, Any], now: datetime) -> int:
    """Return when an event happened: its own time, else the request's, else now."""
    found: int = event.get("timestamp_micros", body.get("timestamp_micros", int(now.timestamp()) * 1_000_000))
    return found


def _received(event: Mapping[str, Any], body: Mapping[str, Any], now: datetime) -> Received:
    """Return an event as it counts: one that is too old is dated as old as an event may be."""
    parameters = event.get("params", {})
    transaction = parameters.get("transaction_id")
    value = parameters.get("value")
    return Received(
        event_name=event["name"],
        event_id=None,
        event_time=max(_microseconds(event, body, now), _oldest(now)) // 1_000_000,
        action_source="",
        order_id=transaction,
        value=None if value is None else Decimal(value),
        currency=parameters.get("currency"),
        user_data=("client_id", *body.get("user_data", {})),
        key=("ga4", body["client_id"], transaction) if event["name"] == "purchase" else (),
        window=WINDOW,
    )
