"""Pinterest's Conversions API v5 by its OpenAPI description 5.23.0 (github.com/pinterest/api-description, 2025-12-11).

A request of the wrong form is refused whole; of the right form, each event is judged by itself. What is not published:
how old an event may be (7 days here), and for how long an event is known again (a day here, as a guess).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import (
    ANY_TEXT,
    BOOLEAN,
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
    from collections.abc import Mapping

    from uploader.sandbox.faults import Fault

MAX_EVENTS: Final = 1000
MAX_AGE: Final = timedelta(days=7)
MAX_AHEAD: Final = timedelta(minutes=5)
WINDOW: Final = timedelta(days=1)
NAMES: Final = (
    *("add_payment_info", "add_to_cart", "add_to_wishlist", "app_install", "app_open", "checkout", "custom"),
    *("initiate_checkout", "lead", "page_visit", "search", "signup", "subscribe", "view_category", "view_content"),
    "watch_video",
)
AMOUNT_TEXT: Final = text_like(r"[0-9]+(\.[0-9]+)?", "a decimal as a string")
CONTENT: Final[Mapping[str, Shape]] = {
    "id": TEXT,
    "item_price": AMOUNT_TEXT,
    "quantity": WHOLE,
    **dict.fromkeys(("item_name", "item_category", "item_brand"), TEXT),
}
CUSTOM_DATA: Final[Mapping[str, Shape]] = {
    "currency": one_of(*sorted(CURRENCIES)),
    **dict.fromkeys(("value", "predicted_ltv"), AMOUNT_TEXT),
    "content_ids": list_of(TEXT),
    "contents": list_of(shaped(CONTENT)),
    "num_items": WHOLE,
    **dict.fromkeys(("order_id", "search_string", "content_name", "content_category", "content_brand"), TEXT),
    "opt_out_type": TEXT,
}
HASHED: Final = ("em", "ph", "ge", "db", "ln", "fn", "ct", "st", "zp", "country", "external_id", "hashed_maids")
USER_DATA: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(HASHED, list_of(SHA256)),
    **dict.fromkeys(("client_ip_address", "client_user_agent", "click_id", "partner_id"), TEXT),
}
EVENT: Final[Mapping[str, Shape]] = {
    "event_name": TEXT,
    "action_source": one_of("web", "app_ios", "app_android", "offline"),
    "event_time": WHOLE,
    "event_id": TEXT,
    "event_source_url": TEXT,
    "opt_out": BOOLEAN,
    "partner_name": ANY_TEXT,
    "user_data": shaped(USER_DATA),
    "custom_data": shaped(CUSTOM_DATA),
    **dict.fromkeys(("app_id", "app_name", "app_version", "device_brand", "device_model", "os_version"), TEXT),
    "wifi": BOOLEAN,
    "language": text_like(r"[a-z]{2}", "two letters of ISO 639-1"),
}
REQUIRED: Final = ("event_name", "action_source", "event_time", "event_id", "user_data")


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path: ClassVar[re.Pattern[str]] = re.compile(r"/v5/ad_accounts/(?P<dataset_id>[^/]+)/events")

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        dataset_id = self.dataset_of(call.path)
        events, refusal = self._readable(call, dataset_id)
        if refusal is not None:
            status, code, message = refusal
            answer = json_answer({"code": code, "message": message}, status)
            return Upload(dataset_id, answer, refused=str(code), is_upload=call.method == "POST")
        problems = [_problem(event, now) for event in events]
        taken = tuple(_received(event) for event, problem in zip(events, problems, strict=True) if problem is None)
        return Upload(
            dataset_id,
            _told(problems),
            taken,
            "953" if len(taken) < len(events) else None,
            sent=len(events),
            is_test=call.query.get("test") == "true",
            token_from="header",  # noqa: S106 - where it stood
        )

    def _readable(self, call: Call, dataset_id: str) -> tuple[list[Any], tuple[int, int, str] | None]:
        """Return the events, or why none of them is looked at: status, code, text."""
        if not self.is_token(bearer(call)):
            return [], (401, 2, "Authentication failed.")
        if not self.is_known(dataset_id):
            return [], (403, 29, "You are not permitted to access that resource.")
        body = json_body(call)
        if call.method != "POST" or body is None:
            return [], (400, 1, "The request is no JSON object.")
        try:
            check(body, {"data": list_of(("anything", lambda _: True))}, required=("data",))
            events = body["data"]
            assert isinstance(events, list)  # noqa: S101 - checked in the line before
            if not 1 <= len(events) <= MAX_EVENTS:
                return [], (400, 4196, f"data must have 1 to {MAX_EVENTS} items.")
            for place, event in enumerate(events):
                check(event, EVENT, f"data.{place}", required=REQUIRED)
        except WrongShapeError as error:
            return [], (400, 4196, str(error))
        return events, None


def _problem(event: Mapping[str, Any], now: datetime) -> str | None:
    """Say why an event of the right form is not processed."""
    user = event["user_data"]
    has_pair = {"client_ip_address", "client_user_agent"} <= user.keys()
    if not (user.get("em") or user.get("hashed_maids") or has_pair):
        return "Missing user data: em, hashed_maids, or client_ip_address with client_user_agent."
    if event["event_name"] not in NAMES:
        return "Invalid event_name."
    happened = event["event_time"]
    if happened < (now - MAX_AGE).timestamp():
        return "Invalid event_timestamp parameter. Given timestamp is in the past."
    if happened > (now + MAX_AHEAD).timestamp():
        return "Invalid event_timestamp parameter. Given timestamp is in the future."
    return None


def _told(problems: list[str | None]) -> Answer:
    events = [
        {"status": "processed", "error_message": "", "warning_message": ""}
        if problem is None
        else {"status": "failed", "error_message": problem, "warning_message": ""}
        for problem in problems
    ]
    processed = problems.count(None)
    content = {"num_events_received": len(events), "num_events_processed": processed, "events": events}
    if processed == len(events):
        return json_answer(content)
    return json_answer({"code": 953, "message": "Not all events were processed.", "details": content}, 422)


def _received(event: Mapping[str, Any]) -> Received:
    custom = event.get("custom_data", {})
    return Received(
        event_name=event["event_name"],
        event_id=event["event_id"],
        event_time=event["event_time"],
        action_source=event["action_source"],
        order_id=custom.get("order_id"),
        value=Decimal(custom["value"]) if "value" in custom else None,
        currency=custom.get("currency"),
        user_data=tuple(event["user_data"]),
        is_limited=custom.get("opt_out_type") == "LDP",
        # "Events that took place offline cannot be deduplicated."
        key=() if event["action_source"] == "offline" else ("pinterest", event["event_name"], event["event_id"]),
        window=WINDOW,
    )
