"""Reddit's Conversions API v3, as https://ads-api.reddit.com/docs/v3 and Reddit's business help tell of it.

Read 2026-11-20, in part as Reddit's partners copied it. One invalid event refuses the whole request, and the answer
names each by its position. Stricter than Reddit is said to be: e-mail addresses and phone numbers must be hashed, and
an event without any match key is refused, which others saw taken and matched with nobody.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import (
    ANYTHING,
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
MAX_AGE: Final = timedelta(hours=168)
MAX_AHEAD: Final = timedelta(minutes=5)
WINDOW: Final = timedelta(days=2)
LONGEST_NAME: Final = 64
TYPES: Final = (
    *("PAGE_VISIT", "VIEW_CONTENT", "SEARCH", "ADD_TO_CART", "ADD_TO_WISHLIST", "PURCHASE", "LEAD", "SIGN_UP"),
    "CUSTOM",
)
WITHOUT_VALUE: Final = frozenset({"PAGE_VISIT", "VIEW_CONTENT", "SEARCH"})
WITHOUT_COUNT: Final = WITHOUT_VALUE | {"LEAD", "SIGN_UP"}


def _is_ip(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(ip_address(value))
    except ValueError:
        return False


_UUID: Final = "{0}{{8}}(-{0}{{4}}){{3}}-{0}{{12}}"
PRODUCT: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("id", "name", "category"), TEXT),
    "quantity": WHOLE,
    "item_price": NUMBER,
}
METADATA: Final[Mapping[str, Shape]] = {
    "conversion_id": TEXT,
    "currency": one_of(*sorted(CURRENCIES)),
    "value": NUMBER,
    "item_count": WHOLE,
    "products": list_of(shaped(PRODUCT, "id")),
}
LIMITED: Final[Mapping[str, Shape]] = {
    "modes": list_of(one_of("LDU")),
    "country": text_like("[A-Z]{2}", "two letters of ISO 3166-1"),
    "region": text_like("([A-Z]{2}-)?[A-Z0-9]{1,3}", "a subdivision of ISO 3166-2"),
}
USER: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("email", "phone_number"), SHA256),
    **dict.fromkeys(("external_id", "user_agent"), TEXT),
    "ip_address": ("an IP address", _is_ip),
    "idfa": text_like(f"{_UUID.format('[0-9A-F]')}|[0-9a-f]{{64}}", "an IDFA in capitals, or hashed"),
    "aaid": text_like(f"{_UUID.format('[0-9a-f]')}|[0-9a-f]{{64}}", "an AAID in small letters, or hashed"),
    "uuid": TEXT,
    "data_processing_options": shaped(LIMITED, "modes"),
    "screen_dimensions": shaped({"width": WHOLE, "height": WHOLE}),
}
EVENT: Final[Mapping[str, Shape]] = {
    "event_at": WHOLE,
    "action_source": one_of("WEBSITE", "APP", "PHYSICAL_STORE", "OTHER"),
    "event_source_url": text_like(r"https?://[^\s]+", "a URL"),
    "click_id": text_like("[^{}%]+", "a click id"),
    "type": OBJECT,
    "metadata": OBJECT,
    "user": OBJECT,
}
TYPE: Final[Mapping[str, Shape]] = {"tracking_type": one_of(*TYPES), "custom_event_name": TEXT}
PARTS: Final = {"type": (TYPE, ("tracking_type",)), "metadata": (METADATA, ()), "user": (USER, ())}
ENVELOPE: Final[Mapping[str, Shape]] = {"events": list_of(ANYTHING), "partner": TEXT, "test_id": TEXT}


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path: ClassVar[re.Pattern[str]] = re.compile(r"/api/v3/pixels/(?P<dataset_id>[^/]+)/conversion_events")

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        dataset_id = self.dataset_of(call.path)
        data, refusal = self._readable(call, dataset_id)
        if refusal is not None:
            answer, label = refusal
            return Upload(dataset_id, answer, refused=label, is_upload=call.method == "POST")
        events = data["events"]
        problems = [_problem(event, now) for event in events]
        bad = [(place, problem) for place, problem in enumerate(problems) if problem is not None]
        taken = () if bad else tuple(map(_received, events))
        return Upload(
            dataset_id,
            _invalid(bad) if bad else _processed(len(taken), fault),
            taken,
            bad[0][1].path if bad else None,
            sent=len(events),
            is_test="test_id" in data,
            token_from="header",  # noqa: S106 - where it stood
            warnings={} if bad else Counter(warning for event in events for warning in _warnings(event)),
        )

    def _readable(self, call: Call, dataset_id: str) -> tuple[dict[str, Any], tuple[Answer, str] | None]:
        """Return what the request holds, or why none of it is looked at: an answer and a label."""
        if not self.is_token(bearer(call)):
            return {}, (_unauthorized(401, "Authorization Required"), "UNAUTHORIZED")
        if not self.is_known(dataset_id):
            text = f"You're not authorized to post conversions to Pixel ID {dataset_id}."
            return {}, (_unauthorized(403, text), "UNAUTHORIZED")
        body = json_body(call)
        data = body.get("data") if body is not None and set(body) == {"data"} else None
        try:
            check(data, ENVELOPE, required=("events",))
        except WrongShapeError as error:
            return {}, (_bad_request(f"JSON error on field {error.path}: {error.problem}"), "envelope")
        assert isinstance(data, dict)  # noqa: S101 - checked in the line before
        if not 1 <= len(data["events"]) <= MAX_EVENTS:
            return {}, (_bad_request("Bad Request"), "count")
        return data, None


def _unauthorized(status: int, text: str) -> Answer:
    return json_answer({"success": False, "error": {"reason": "UNAUTHORIZED", "explanation": text}}, status)


def _bad_request(text: str) -> Answer:
    return json_answer({"error": {"code": 400, "message": text}}, 400)


def _invalid(bad: list[tuple[int, WrongShapeError]]) -> Answer:
    fields = [
        {"field": f"$.data.events[{place}]" + (f".{problem.path}" if problem.path else ""), "message": str(problem)}
        for place, problem in bad
    ]
    text = f"There were {len(bad)} invalid conversion events. None were processed."
    return json_answer({"error": {"code": 400, "message": text, "fields": fields}}, 400)


def _processed(count: int, fault: Fault | None) -> Answer:
    if fault is not None and fault.kind == "wrong_count":
        count = count - 1 if fault.received is None else fault.received
    return json_answer({"data": {"message": f"Successfully processed {count} conversion events."}})


def _problem(event: Any, now: datetime) -> WrongShapeError | None:
    """Return what makes an event invalid."""
    try:
        check(event, EVENT, required=("event_at", "action_source", "type"))
        for part, (shapes, required) in PARTS.items():
            check(event.get(part, {}), shapes, part, required=required)
        _check_rules(event, now)
    except WrongShapeError as error:
        return error
    return None


def _check_rules(event: Mapping[str, Any], now: datetime) -> None:
    """Refuse what is of the right form and still invalid."""
    happened, kind, metadata = event["event_at"], event["type"], event.get("metadata", {})
    if happened < (now - MAX_AGE).timestamp() * 1000:
        raise WrongShapeError("event_at", "event_at timestamp must be less than 168h0m0s old")
    if happened > (now + MAX_AHEAD).timestamp() * 1000:
        raise WrongShapeError("event_at", "event_at timestamp must not be in the future")
    if (kind["tracking_type"] == "CUSTOM") != ("custom_event_name" in kind):
        raise WrongShapeError("type.custom_event_name", "goes with CUSTOM, and CUSTOM only")
    if ("value" in metadata) != ("currency" in metadata):
        raise WrongShapeError("metadata.currency", "CURRENCY_WITH_NO_VALUE")
    if event["action_source"] != "WEBSITE" and "event_source_url" in event:
        raise WrongShapeError("event_source_url", "is for WEBSITE only")
    user = event.get("user", {})
    keys = {"email", "phone_number", "external_id", "idfa", "aaid", "uuid"}
    if not ("click_id" in event or keys & user.keys() or {"ip_address", "user_agent"} <= user.keys()):
        raise WrongShapeError("user", "at least one match key is needed")


def _warnings(event: Mapping[str, Any]) -> Iterator[str]:
    """Name what Reddit is not known to refuse, although its documents ask for something else."""
    kind, metadata, user = event["type"], event.get("metadata", {}), event.get("user", {})
    if kind["tracking_type"] in WITHOUT_VALUE and "value" in metadata:
        yield "value_without_use"
    if kind["tracking_type"] in WITHOUT_COUNT and "item_count" in metadata:
        yield "count_without_use"
    if len(kind.get("custom_event_name", "")) > LONGEST_NAME:
        yield "custom_name_cut"
    if event["action_source"] == "PHYSICAL_STORE" and ("click_id" in event or {"idfa", "aaid", "uuid"} & user.keys()):
        yield "device_in_store"
    if kind["tracking_type"] == "PURCHASE" and not {"item_count", "products"} <= metadata.keys():
        yield "purchase_without_products"


def _received(event: Mapping[str, Any]) -> Received:
    metadata, kind, user = event.get("metadata", {}), event["type"], event.get("user", {})
    name = kind.get("custom_event_name", kind["tracking_type"])[:LONGEST_NAME]
    conversion_id = metadata.get("conversion_id")
    return Received(
        event_name=name,
        event_id=conversion_id,
        event_time=event["event_at"] // 1000,
        action_source=event["action_source"],
        order_id=None,
        value=Decimal(metadata["value"]) if "value" in metadata else None,
        currency=metadata.get("currency"),
        user_data=tuple(user) + (("click_id",) if "click_id" in event else ()),
        is_limited="data_processing_options" in user,
        # Copies are looked for among the events of one source, one type and one custom name.
        key=("reddit", event["action_source"], kind["tracking_type"], name, conversion_id) if conversion_id else (),
        window=WINDOW,
    )
