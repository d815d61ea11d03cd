"""TikTok's Events API 2.0 (v1.3) by its reference, business-api.tiktok.com/portal/docs?id=1771101303285761.

One wrong event refuses the whole request, and its position stands in the text. What is not published: how old an event
may be (no limit here), and whether unknown keys or an event without a person are refused (here they are).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import (
    ANYTHING,
    BOOLEAN,
    NUMBER,
    SHA256,
    TEXT,
    WHOLE,
    Shape,
    WrongShapeError,
    as_list,
    check,
    list_of,
    one_of,
    shaped,
    text_like,
)
from uploader.sandbox.stand_in import StandIn, json_body
from uploader.sandbox.wire import Call, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.sandbox.faults import Fault

MAX_EVENTS: Final = 1000
WINDOW: Final = timedelta(hours=48)
_CODES: Final = """
    AED ARS AUD BDT BHD BIF BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP EUR GBP GTQ HKD HNL HUF IDR ILS INR ISK JPY
    KES KHR KRW KWD KZT MAD MOP MXN MYR NGN NIO NOK NZD OMR PEN PHP PKR PLN PYG QAR RON RUB SAR SEK SGD THB TRY TWD UAH
    USD VES VND ZAR
"""
CURRENCIES: Final = tuple(_CODES.split())
STANDARD: Final = (
    *("AddPaymentInfo", "AddToCart", "AddToWishlist", "ApplicationApproval", "ClickButton", "CompletePayment"),
    *("CompleteRegistration", "Contact", "CustomizeProduct", "Download", "FindLocation", "InitiateCheckout", "Lead"),
    *("PageView", "PlaceAnOrder", "Purchase", "Schedule", "Search", "StartTrial", "SubmitApplication", "SubmitForm"),
    *("Subscribe", "ViewContent"),
)
HASHES: Final[Shape] = (
    "a SHA-256 or a list of them",
    lambda value: value != [] and all(SHA256[1](one) for one in as_list(value)),
)
DEVICE: Final = text_like(r"[0-9A-Fa-f-]{30,64}", "an advertising id")
USER: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("email", "phone", "external_id"), HASHES),
    **dict.fromkeys(("first_name", "last_name", "zip_code"), SHA256),
    **dict.fromkeys(("city", "state", "country"), text_like(r"[a-z0-9]+", "lower-case letters and digits")),
    **dict.fromkeys(("ttclid", "ttp", "ip", "user_agent"), TEXT),
    "locale": text_like(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", "a language of BCP 47"),
    "idfa": text_like(r"[0-9A-F-]+|[0-9a-f]{64}", "an upper-case IDFA, or the hash of one"),
    "gaid": text_like(r"[0-9a-f-]+", "a lower-case GAID, or the hash of one"),
    "idfv": DEVICE,
    "att_status": one_of("AUTHORIZED", "DENIED", "NOT_DETERMINED", "RESTRICTED", "NOT_APPLICABLE"),
}
CONTENT: Final[Mapping[str, Shape]] = {
    "price": NUMBER,
    "quantity": WHOLE,
    **dict.fromkeys(("content_id", "content_name", "content_category", "brand"), TEXT),
}
PROPERTIES: Final[Mapping[str, Shape]] = {
    "content_ids": list_of(TEXT),
    "contents": list_of(shaped(CONTENT)),
    "content_type": one_of("product", "product_group"),
    "currency": one_of(*CURRENCIES),
    **dict.fromkeys(("value", "predicted_ltv"), NUMBER),
    "num_items": WHOLE,
    **dict.fromkeys(("search_string", "query", "description", "order_id", "shop_id"), TEXT),
    "customer_type": one_of("new", "returning"),
}
EVENT: Final[Mapping[str, Shape]] = {
    "event": TEXT,
    "event_time": ("a time in seconds", lambda value: WHOLE[1](value) and 10**9 <= value < 10**10),
    "event_id": TEXT,
    "user": shaped(USER),
    "properties": shaped(PROPERTIES),
    "page": shaped({"url": text_like(r"https?://\S+", "an address"), "referrer": TEXT}, "url"),
    "app": shaped(dict.fromkeys(("app_id", "app_name", "app_version"), TEXT), "app_id"),
    "lead": shaped(dict.fromkeys(("lead_id", "lead_event_source"), TEXT), "lead_id"),
    "limited_data_use": BOOLEAN,
}
ROOT: Final[Mapping[str, Shape]] = {
    "event_source": one_of("web", "app", "offline", "crm"),
    **dict.fromkeys(("event_source_id", "test_event_code", "partner_name"), TEXT),
    "data": list_of(ANYTHING),
}
NEEDED: Final[Mapping[str, str]] = {"web": "page", "app": "app", "crm": "lead", "offline": "user"}
# The sources that a key may stand with, where they are not all.
ONLY_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    "page": ("web",),
    "app": ("app",),
    "lead": ("crm",),
    "limited_data_use": ("web", "app"),
    "user.ttclid": ("web",),
    "user.ttp": ("web",),
    "user.ip": ("web", "app"),
    "user.user_agent": ("web", "app"),
    "user.locale": ("web", "app"),
    **dict.fromkeys(("user.idfa", "user.idfv", "user.gaid", "user.att_status"), ("app",)),
    "user.external_id": ("web", "offline", "crm"),
    "properties.customer_type": ("web", "app"),
}


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path: ClassVar[re.Pattern[str]] = re.compile(r"/open_api/v1\.3/event/track/")

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        body = json_body(call) if call.method == "POST" else None
        dataset_id = _text((body or {}).get("event_source_id"))
        code, message = self._refusal(call, body, dataset_id)
        data = body.get("data") if body else None
        events: list[Any] = data if isinstance(data, list) else []
        answer = json_answer({"code": code, "message": message, "request_id": trace_id, "data": {}})
        is_upload = call.method == "POST"
        if code or body is None:
            return Upload(dataset_id, answer, refused=str(code), sent=len(events), is_upload=is_upload)
        source = _text(body["event_source"])
        return Upload(
            dataset_id,
            answer,
            tuple(_received(event, source, dataset_id) for event in events),
            sent=len(events),
            is_test="test_event_code" in body,
            token_from="header",  # noqa: S106 - where it stood
        )

    def _refusal(self, call: Call, body: dict[str, Any] | None, dataset_id: str) -> tuple[int, str]:
        """Return code and text of what is wrong first; 0 where nothing is."""
        if not self.is_token(call.headers.get("access-token")):
            return 40105, "Access token is incorrect or has been revoked."
        if body is None:
            return 40002, "The request is no JSON object."
        try:
            check(body, ROOT, required=("event_source", "event_source_id", "data"))
            if not self.is_known(dataset_id):
                return 40001, "No permission to operate this event source."
            if not 1 <= len(body["data"]) <= MAX_EVENTS:
                return 40002, f"data: must have 1 to {MAX_EVENTS} events."
            for place, event in enumerate(body["data"]):
                _check(event, body["event_source"], f"Batch.{place}")
        except WrongShapeError as error:
            return 40002, str(error)
        return 0, "OK"


def _check(event: Any, source: str, path: str) -> None:
    """Raise `WrongShapeError` unless it is an event of this source."""
    check(event, EVENT, path, required=("event", "event_time", NEEDED[source]))
    user = event.get("user", {})
    found = [*event, *(f"user.{key}" for key in user), *(f"properties.{key}" for key in event.get("properties", {}))]
    for key in found:
        if source not in ONLY_FOR.get(key, (source,)):
            raise WrongShapeError(f"{path}.{key}", f"is not for {source} events")
    if source == "offline" and event["event"] not in STANDARD:
        raise WrongShapeError(f"{path}.event", "must be a standard event")
    if source != "crm" and not user.keys() - {"country", "state", "city", "locale", "att_status"}:
        raise WrongShapeError(f"{path}.user", "tells nobody")


def _text(found: object) -> str:
    return found if isinstance(found, str) else ""


def _received(event: Mapping[str, Any], source: str, dataset_id: str) -> Received:
    properties = event.get("properties", {})
    event_id = event.get("event_id")
    # "TikTok uses the event_source_id, event_id and event to deduplicate", of web, offline and CRM events.
    is_known = event_id is not None and source != "app"
    return Received(
        event_name=event["event"],
        event_id=event_id,
        event_time=event["event_time"],
        action_source=source,
        order_id=properties.get("order_id"),
        value=Decimal(properties["value"]) if "value" in properties else None,
        currency=properties.get("currency"),
        user_data=tuple(event.get("user", {})),
        is_limited=event.get("limited_data_use", False),
        key=("tiktok", dataset_id, event["event"], event_id) if is_known else (),
        window=WINDOW,
    )
