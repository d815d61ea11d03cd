"""Microsoft Advertising's UET Conversions API v1, as its guide tells of it (read 2026-11-20).

https://learn.microsoft.com/en-us/advertising/guides/uet-conversion-api-integration. One invalid event refuses the whole
request, unless it says otherwise; some wrong values are dropped with a warning instead. Of both the answer lists ten.
Stricter than Microsoft is said to be: an unknown key is invalid. Not published: how far ahead an event may lie (five
minutes here), and for how long it is known again (a day here, as a guess).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
    OBJECT,
    SHA256,
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
from uploader.sandbox.wire import Answer, Call, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uploader.sandbox.faults import Fault

MAX_EVENTS: Final = 1000
MAX_AGE: Final = timedelta(days=7)
MAX_AHEAD: Final = timedelta(minutes=5)
WINDOW: Final = timedelta(days=1)
LISTED: Final = 10


def _is_ip(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(ip_address(value))
    except ValueError:
        return False


URL: Final = text_like(r"https?://[^\s/]+[^\s]*", "a valid URL")
UUID: Final = text_like(r"[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}", "a valid UUID")
UUID_4: Final = text_like("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "a UUID v4")
ITEM: Final[Mapping[str, Shape]] = {"id": TEXT, "quantity": WHOLE, "price": NUMBER, "name": TEXT}
HOTEL: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("totalPrice", "basePrice"), NUMBER),
    "lengthOfStay": WHOLE,
    **dict.fromkeys(("checkinDate", "checkoutDate", "partnerHotelId", "bookingHref"), TEXT),
}
CUSTOM_DATA: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("eventCategory", "eventLabel", "searchTerm", "transactionId", "ecommCategory"), TEXT),
    **dict.fromkeys(("eventValue", "value", "ecommTotalValue"), NUMBER),
    "currency": ANYTHING,
    "items": list_of(shaped(ITEM)),
    "itemIds": list_of(TEXT),
    "pageType": ANYTHING,
    "hotelData": shaped(HOTEL),
}
WHO: Final = ("anonymousId", "externalId", "em", "ph", "msclkid", "idfa", "gaid")
USER_DATA: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("anonymousId", "externalId", "clientUserAgent"), TEXT),
    **dict.fromkeys(("em", "ph"), ANYTHING),
    **dict.fromkeys(("msclkid", "idfa", "gaid"), UUID),
    "clientIpAddress": ("an IP address", _is_ip),
}
EVENT: Final[Mapping[str, Shape]] = {
    "eventType": one_of("pageLoad", "custom"),
    "eventTime": WHOLE,
    **dict.fromkeys(("eventId", "eventName", "pageTitle", "keywords"), TEXT),
    "eventSourceUrl": URL,
    "pageLoadId": UUID_4,
    "referrerUrl": ANYTHING,
    "adStorageConsent": one_of("G", "D"),
    "userData": OBJECT,
    "customData": OBJECT,
}
REQUIRED: Final = ("eventType", "eventTime", "userData")
PAGE_TYPE: Final = one_of("cart", "category", "home", "other", "product", "purchase", "searchresults")
CURRENCY: Final = one_of(*sorted(CURRENCIES))
# What is dropped with a warning where it is wrong: the object it stands in, its form, and the code.
DROPPED: Final[tuple[tuple[str, str, Shape, str], ...]] = (
    ("", "referrerUrl", URL, "InvalidUrl"),
    ("userData", "em", SHA256, "InvalidSha256"),
    ("userData", "ph", SHA256, "InvalidSha256"),
    ("customData", "currency", CURRENCY, "InvalidEnumValue"),
    ("customData", "pageType", PAGE_TYPE, "InvalidEnumValue"),
)
ENUMS: Final = ("eventType", "adStorageConsent")
ENVELOPE: Final[Mapping[str, Shape]] = {
    "data": list_of(ANYTHING),
    "continueOnValidationError": BOOLEAN,
    "dataProvider": TEXT,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at one place of one event; ``code`` is None where the guide has none for it."""

    index: int
    path: str
    text: str
    code: str | None
    is_warning: bool

    def told(self) -> dict[str, object]:
        """Return it as an answer lists it."""
        told: dict[str, object] = {"index": self.index, "propertyName": f"data[{self.index}].{self.path}".rstrip(".")}
        code = {"errorCode": self.code} if self.code else {}
        return told | {"errorMessage": self.text, **code, "isWarning": self.is_warning}


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path: ClassVar[re.Pattern[str]] = re.compile(r"/v1/(?P<dataset_id>[^/]+)/events")

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        tag = self.dataset_of(call.path)
        if not self.is_token(bearer(call)) or not self.is_known(tag):
            answer = _refusal("Unauthorized", "You are not authorized to access this resource.", [], 401)
            return Upload(tag, answer, refused="Unauthorized", is_upload=call.method == "POST")
        if call.method != "POST":
            return Upload(tag, json_answer({}, 405), refused="method", is_upload=False)
        body = json_body(call)
        try:
            check(body, ENVELOPE, required=("data",))
        except WrongShapeError as error:
            return _invalid(tag, [Finding(0, "", str(error), None, is_warning=False)], 0)
        events: Any = body["data"] if body else []
        if not 1 <= len(events) <= MAX_EVENTS:
            return _invalid(tag, [Finding(0, "", "data must have 1 to 1000 events.", None, is_warning=False)], 0)
        findings = [finding for place, event in enumerate(events) for finding in _findings(place, event, now)]
        bad = {finding.index for finding in findings if not finding.is_warning}
        goes_on = body is not None and body.get("continueOnValidationError") is True
        if len(bad) == len(events) or (bad and not goes_on):
            return _invalid(tag, findings, len(events))
        taken = tuple(_received(event) for place, event in enumerate(events) if place not in bad)
        return Upload(
            tag,
            _received_answer(len(taken), findings, fault),
            taken,
            "ValidationError" if bad else None,
            sent=len(events),
            token_from="header",  # noqa: S106 - where it stood
            warnings=Counter(finding.path for finding in findings if finding.is_warning),
        )


def _refusal(code: str, text: str, findings: list[Finding], status: int) -> Answer:
    details = {"details": [finding.told() for finding in findings[:LISTED]]} if findings else {}
    return json_answer({"error": {"code": code, "message": text, **details}}, status)


def _invalid(tag: str, findings: list[Finding], sent: int) -> Upload:
    """Return a request of which nothing was taken."""
    text = "One or multiple parameters did not pass validation checks; only the first 10 are shown."
    code = next((finding.code for finding in findings if not finding.is_warning and finding.code), "ValidationError")
    return Upload(tag, _refusal("ValidationError", text, findings, 400), refused=code, sent=sent)


def _received_answer(count: int, findings: list[Finding], fault: Fault | None) -> Answer:
    if fault is not None and fault.kind == "wrong_count":
        count = count - 1 if fault.received is None else fault.received
    told = [finding.told() for finding in findings[:LISTED]]
    return json_answer(
        {"eventsReceived": count, **({"error": {"code": "ValidationError", "details": told}} if told else {})}
    )


def _findings(index: int, event: Any, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with an event: the first thing that makes it invalid, and all that is dropped."""
    try:
        check(event, EVENT, required=REQUIRED)
        check(event["userData"], USER_DATA, "userData")
        check(event.get("customData", {}), CUSTOM_DATA, "customData")
        _check_rules(event, now)
    except WrongShapeError as error:
        yield Finding(index, error.path, error.problem, _code(error), is_warning=False)
        return
    for parent, key, shape, code in DROPPED:
        place = event.get(parent, {}) if parent else event
        if key in place and not shape[1](place[key]):
            yield Finding(index, f"{parent}.{key}".lstrip("."), f"must be {shape[0]}", code, is_warning=True)


def _code(error: WrongShapeError) -> str | None:
    if error.problem in {"is required", "must not be empty"}:
        return "Empty"
    if error.path == "eventTime":
        return "InvalidEventTime"
    if error.path in ENUMS:
        return "InvalidEnumValue"
    return "InvalidUrl" if error.path == "eventSourceUrl" else None


def _check_rules(event: Mapping[str, Any], now: datetime) -> None:
    """Refuse what is of the right form and still invalid."""
    if not (now - MAX_AGE).timestamp() <= event["eventTime"] <= (now + MAX_AHEAD).timestamp():
        raise WrongShapeError("eventTime", "must be within the last 7 days")
    if not any(event["userData"].get(key) for key in WHO):
        raise WrongShapeError("userData", "must not be empty")
    if event["eventType"] == "pageLoad":
        if "eventSourceUrl" not in event:
            raise WrongShapeError("eventSourceUrl", "is required")
        if "value" in event.get("customData", {}):
            raise WrongShapeError("customData.value", "page load events have no revenue")


def _received(event: Mapping[str, Any]) -> Received:
    """Return an event without what was dropped."""
    custom, user = event.get("customData", {}), event["userData"]
    hashed = {key for key in ("em", "ph") if key in user and not SHA256[1](user[key])}
    name, event_id = event.get("eventName"), event.get("eventId")
    return Received(
        event_name=name or event["eventType"],
        event_id=event_id,
        event_time=event["eventTime"],
        action_source=event["eventType"],
        order_id=custom.get("transactionId"),
        value=Decimal(custom["value"]) if "value" in custom else None,
        currency=custom.get("currency") if CURRENCY[1](custom.get("currency")) else None,
        user_data=tuple(key for key in user if key not in hashed),
        key=("microsoft", name, event_id) if name and event_id else (),
        window=WINDOW,
    )
