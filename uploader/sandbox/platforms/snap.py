"""Snap's Conversions API v3, by developers.snap.com and the description in github.com/Snapchat/business-sdk-v3-java.

The first bad event refuses the whole request, and is named. What is not published: how far ahead an event may lie (ten
minutes here), for how long one is known again (48 hours here, as older texts have it), and what becomes of unknown keys
(they are refused here).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import (
    AMOUNT,
    ANYTHING,
    BOOLEAN,
    FLAG,
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
from uploader.sandbox.wire import Answer, Call, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.sandbox.faults import Fault

MAX_EVENTS: Final = 2000
MAX_AGE: Final = timedelta(days=37)
MAX_AHEAD: Final = timedelta(minutes=10)
WINDOW: Final = timedelta(hours=48)
EXTINFO: Final = 16
NAMES: Final = (
    *("PURCHASE", "SIGN_UP", "ADD_CART", "START_CHECKOUT", "ADD_BILLING", "SUBSCRIBE", "START_TRIAL", "VIEW_CONTENT"),
    *("PAGE_VIEW", "SEARCH", "ADD_TO_WISHLIST", "APP_INSTALL", "APP_OPEN", "LIST_VIEW", "SAVE", "SHARE", "INVITE"),
    *("LOGIN", "RESERVE", "RATE", "AD_CLICK", "AD_VIEW", "COMPLETE_TUTORIAL", "LEVEL_COMPLETE", "SPENT_CREDITS"),
    *("ACHIEVEMENT_UNLOCKED", *(f"CUSTOM_EVENT_{number}" for number in range(1, 6))),
)
ALIASES: Final = {
    "website": "WEB",
    "app": "MOBILE_APP",
    **dict.fromkeys(("physical_store", "phone_call", "email", "chat", "system_generated", "other"), "OFFLINE"),
}
SOURCES: Final = ("WEB", "MOBILE_APP", "OFFLINE")
HASHES: Final[Shape] = (
    "a SHA-256 or a list of them",
    lambda value: value != [] and all(SHA256[1](one) for one in as_list(value)),
)
USER_DATA: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country", "external_id"), HASHES),
    "madid": text_like(r"[0-9a-f-]{30,40}", "an advertising id in lower case"),
    "idfv": text_like(r"[0-9A-Fa-f-]{30,40}", "a vendor's id"),
    **dict.fromkeys(("sc_click_id", "sc_cookie1", "client_user_agent"), TEXT),
    "client_ip_address": text_like(r"[0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+", "an IP address"),
}
CONTENT: Final[Mapping[str, Shape]] = {
    "id": TEXT,
    **dict.fromkeys(("quantity", "item_price"), text_like(r"[0-9]+(\.[0-9]+)?", "a number as a string")),
    **dict.fromkeys(("delivery_category", "brand"), TEXT),
}
CUSTOM_DATA: Final[Mapping[str, Shape]] = {
    "currency": one_of(*sorted(CURRENCIES)),
    **dict.fromkeys(("value", "predicted_ltv"), AMOUNT),
    "content_ids": list_of(TEXT),
    "contents": list_of(shaped(CONTENT)),
    "num_items": WHOLE,
    **dict.fromkeys(("order_id", "content_type", "content_name", "content_category", "search_string"), TEXT),
    **dict.fromkeys(("brands", "sign_up_method", "delivery_category", "status", "event_tag"), TEXT),
}
APP_DATA: Final[Mapping[str, Shape]] = {
    "app_id": TEXT,
    **dict.fromkeys(("advertiser_tracking_enabled", "application_tracking_enabled"), FLAG),
    "extinfo": (
        "16 strings",
        lambda value: isinstance(value, list) and len(value) == EXTINFO and all(isinstance(one, str) for one in value),
    ),
}
EVENT: Final[Mapping[str, Shape]] = {
    "event_name": one_of(*NAMES),
    "event_time": WHOLE,
    "action_source": one_of(*SOURCES, *ALIASES),
    "event_id": TEXT,
    "event_source_url": text_like(r"https?://\S+", "an address"),
    "opt_out": BOOLEAN,
    "data_processing_options": list_of(one_of("LDU")),
    "data_processing_options_country": one_of(0, 1),
    "data_processing_options_state": one_of(0, 1000),
    "user_data": shaped(USER_DATA),
    "custom_data": shaped(CUSTOM_DATA),
    "app_data": shaped(APP_DATA),
    **dict.fromkeys(("integration", "test_event_code"), TEXT),
}
REQUIRED: Final = ("event_name", "event_time", "action_source", "user_data")
NEEDED: Final = {"WEB": ("event_source_url",), "MOBILE_APP": ("app_data",), "OFFLINE": ()}
LIMITED: Final = ("data_processing_options_country", "data_processing_options_state")


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path: ClassVar[re.Pattern[str]] = re.compile(r"/v3/(?P<dataset_id>[^/]+)/events")

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        dataset_id = self.dataset_of(call.path)
        body = json_body(call) if call.method == "POST" else None
        events: list[Any] = []
        answer = self._answer(call, body, dataset_id)
        if answer is None and body is not None:
            found = body["data"]
            events = found if isinstance(found, list) else []
            answer = next(filter(None, (_wrong(event, place, now) for place, event in enumerate(events))), None)
        if answer is not None or body is None:
            refused = answer or _invalid("The request is no JSON object.")
            label = "INVALID" if refused.status == 400 else f"http_{refused.status}"
            return Upload(dataset_id, refused, refused=label, sent=len(events), is_upload=call.method == "POST")
        return Upload(
            dataset_id,
            json_answer({"status": "VALID", "reason": "All events were processed successfully."}),
            tuple(_received(event, dataset_id) for event in events),
            sent=len(events),
            is_test="test_event_code" in body,
            token_from="query",  # noqa: S106 - where it stood
        )

    def _answer(self, call: Call, body: dict[str, Any] | None, dataset_id: str) -> Answer | None:
        """Return the answer to a request that no event of is looked at; None where they are."""
        if not self.is_token(call.query.get("access_token")):
            return json_answer({"status": "INVALID", "reason": "Unauthorized"}, 401)
        if not self.is_known(dataset_id):
            return json_answer({"status": "INVALID", "reason": "Forbidden"}, 403)
        try:
            check(body, {"data": list_of(ANYTHING), "test_event_code": TEXT}, required=("data",))
        except WrongShapeError as error:
            return _invalid(str(error))
        count = len(body["data"]) if body else 0
        return None if 1 <= count <= MAX_EVENTS else _invalid(f"data must have 1 to {MAX_EVENTS} events.")


def _invalid(message: str) -> Answer:
    """Return the shorter form of a refusal, which names no event."""
    return json_answer({"status": "INVALID", "error_msgs": [message]}, 400)


def _wrong(event: Any, place: int, now: datetime) -> Answer | None:
    """Return the refusal of an event; None where nothing is wrong with it."""
    try:
        _check(event)
    except WrongShapeError as error:
        errors = {"codes": [], "error_msgs": [str(error)]}
        return json_answer({"status": "INVALID", "event": place, "errors": errors}, 400)
    if not (now - MAX_AGE).timestamp() <= event["event_time"] <= (now + MAX_AHEAD).timestamp():
        return _invalid("Param data['event_time'] is an invalid Unix timestamp.")
    return None


def _check(event: Any) -> None:
    """Raise `WrongShapeError` unless an event has what its name and its source ask for."""
    check(event, EVENT, required=REQUIRED)
    source = ALIASES.get(event["action_source"], event["action_source"])
    is_limited = "LDU" in event.get("data_processing_options", [])
    check(event, EVENT, required=(*NEEDED[source], *(LIMITED if is_limited else ())))
    if source == "MOBILE_APP":
        check(event["app_data"], APP_DATA, "app_data", required=("extinfo",))
    if event["event_name"] == "PURCHASE":
        check(event.get("custom_data", {}), CUSTOM_DATA, "custom_data", required=("currency", "value"))
    user = event["user_data"].keys()
    if not (user & {"em", "ph", "madid"} or {"client_ip_address", "client_user_agent"} <= user):
        raise WrongShapeError("user_data", "has no match key")


def _received(event: Mapping[str, Any], dataset_id: str) -> Received:
    custom = event.get("custom_data", {})
    event_id = event.get("event_id")
    return Received(
        event_name=event["event_name"],
        event_id=event_id,
        event_time=event["event_time"],
        action_source=ALIASES.get(event["action_source"], event["action_source"]),
        order_id=custom.get("order_id"),
        value=Decimal(custom["value"]) if "value" in custom else None,
        currency=custom.get("currency"),
        user_data=tuple(event["user_data"]),
        is_limited="LDU" in event.get("data_processing_options", []),
        key=("snap", dataset_id, event["event_name"], event_id) if event_id is not None else (),
        window=WINDOW,
    )
