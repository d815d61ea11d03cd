"""X's web conversions, Ads API v12, by their documents, with signatures by RFC 5849.

https://docs.x.com/x-ads-api/measurement/web-conversions, and the reference of the same endpoint as it stood in
github.com/xdevplatform/docs on 2026-01-16, read 2026-11-20. One invalid conversion refuses the whole request, and the
answer does not say which. What is not published: how old an event may be (90 days here) and how far ahead (5 minutes),
how far the clock of a signature may be off (5 minutes), and whether an event is known again that came the same way (for
48 hours here, which are published for the pixel's copy).
"""

from __future__ import annotations

import base64
import hmac
import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote, unquote

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import (
    AMOUNT,
    SHA256,
    TEXT,
    Shape,
    WrongShapeError,
    check,
    is_whole,
    list_of,
    one_of,
    shaped,
    text_like,
)
from uploader.sandbox.stand_in import StandIn, json_body
from uploader.sandbox.wire import Call, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from uploader.sandbox.faults import Fault

ORIGIN: Final = "https://ads-api.x.com"
MAX_EVENTS: Final = 500
MAX_AGE: Final = timedelta(days=90)
MAX_AHEAD: Final = timedelta(minutes=5)
MAX_SKEW_S: Final = 300
WINDOW: Final = timedelta(hours=48)
COUNT: Final[Shape] = ("an integer above zero", lambda value: is_whole(value) and value > 0)
IDENTIFIER: Final[Mapping[str, Shape]] = {
    "twclid": TEXT,
    "hashed_email": SHA256,
    "hashed_phone_number": SHA256,
    "ip_address": text_like(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", "an address in dotted-decimal notation"),
    "user_agent": TEXT,
}
CONTENT: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("content_id", "content_group_id", "content_name", "content_type"), TEXT),
    "content_price": AMOUNT,
    "num_items": COUNT,
}
EVENT: Final[Mapping[str, Shape]] = {
    "conversion_time": text_like(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", "a time in yyyy-MM-ddTHH:mm:ss.SSSZ"
    ),
    "event_id": text_like(r"(tw-[a-z0-9]+-)?[a-z0-9]+", "a single event tag (SET)"),
    "identifiers": list_of(shaped(IDENTIFIER)),
    "number_items": COUNT,
    "price_currency": one_of(*sorted(CURRENCIES)),
    "value": AMOUNT,
    "conversion_id": TEXT,
    "description": TEXT,
    "contents": list_of(shaped(CONTENT)),
}
REQUIRED: Final = ("conversion_time", "event_id", "identifiers")


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`. All four parts of the credentials are the one token."""

    path: ClassVar[re.Pattern[str]] = re.compile(r"/12/measurement/conversions/(?P<dataset_id>[^/]+)")

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        dataset_id = self.dataset_of(call.path)
        events, refusal = self._readable(call, now)
        if refusal is None:
            try:
                for event in events:
                    _check(event, now)
            except WrongShapeError as error:
                refusal = (400, "INVALID_PARAMETER", f"{error.path} {error.problem}")
        if refusal is not None:
            status, code, message = refusal
            answer = json_answer({"errors": [{"code": code, "message": message}], "request": {"params": {}}}, status)
            return Upload(dataset_id, answer, refused=code, sent=len(events), is_upload=call.method == "POST")
        debug_id = uuid.uuid5(uuid.NAMESPACE_URL, trace_id)
        content = {
            "request": {"params": {"account_id": "18ce552mlaq"}},
            "data": {"conversions_processed": len(events), "debug_id": str(debug_id)},
        }
        return Upload(
            dataset_id,
            json_answer(content),
            tuple(map(_received, events)),
            sent=len(events),
            token_from="header",  # noqa: S106 - where the signature stood
        )

    def _readable(self, call: Call, now: datetime) -> tuple[list[Any], tuple[int, str, str] | None]:
        """Return the events, or why none of them is looked at: status, code, text."""
        if not self._is_signed(call, now):
            return [], (401, "UNAUTHORIZED_ACCESS", "This request is not properly authenticated")
        if not self.is_known(self.dataset_of(call.path)):
            return [], (404, "NOT_FOUND", "The pixel could not be found")
        body = json_body(call)
        events = body.get("conversions") if body is not None and set(body) == {"conversions"} else None
        if call.method != "POST" or not isinstance(events, list) or not events:
            return [], (400, "INVALID_PARAMETER", "conversions must be a list of conversions, and nothing else")
        if len(events) > MAX_EVENTS:
            return [], (400, "INVALID_PARAMETER", f"Conversion count limit is {MAX_EVENTS}")
        return events, None

    def _is_signed(self, call: Call, now: datetime) -> bool:
        """Check the signature of a request to X's own address, or to where the request arrived (RFC 5849, 3.2)."""
        given = _oauth(call.headers.get("authorization", ""))
        found = given.pop("oauth_signature", "").encode()
        stamp = given.get("oauth_timestamp", "")
        if not re.fullmatch(r"[0-9]{1,12}", stamp, re.ASCII) or abs(int(stamp) - now.timestamp()) > MAX_SKEW_S:
            return False
        if not (self.is_token(given.get("oauth_consumer_key")) and self.is_token(given.get("oauth_token"))):
            return False
        if given.get("oauth_signature_method") != "HMAC-SHA1" or given.get("oauth_version", "1.0") != "1.0":
            return False
        parameters = [*given.items(), *call.query.items()]
        secrets = (self.access.token, self.access.token)
        origins = (ORIGIN, f"http://{call.headers.get('host', '').lower()}")
        rights = [signature(call.method, f"{origin}{call.path}", parameters, secrets) for origin in origins]
        return "oauth_nonce" in given and any(hmac.compare_digest(right.encode(), found) for right in rights)


def signature(method: str, uri: str, parameters: Iterable[tuple[str, str]], secrets: tuple[str, str]) -> str:
    """Sign with HMAC-SHA1 (RFC 5849, 3.4). ``secrets`` are those of the client and of the token."""
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in parameters)
    normalized = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(map(_escaped, (method.upper(), uri, normalized)))
    key = "&".join(map(_escaped, secrets))
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")


def _oauth(header: str) -> dict[str, str]:
    """Return the parameters of a header ``Authorization: OAuth``, but the realm (RFC 5849, 3.5.1)."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "oauth":
        return {}
    pairs = (part.strip().partition("=") for part in rest.split(","))
    found = {unquote(name): unquote(value.strip('"')) for name, _, value in pairs}
    return {name: value for name, value in found.items() if name != "realm"}


def _check(event: Any, now: datetime) -> None:
    """Raise `WrongShapeError` for a conversion that X would not take."""
    if not isinstance(event, dict) or not event.get("identifiers"):
        raise WrongShapeError("identifiers", "At least one user identifier must be provided")
    check(event, EVENT, required=REQUIRED)
    kinds = {kind for identifier in event["identifiers"] for kind in identifier}
    if not kinds or kinds in ({"ip_address"}, {"user_agent"}):
        raise WrongShapeError("identifiers", "must have a second one beside ip_address or user_agent")
    happened = _time(event["conversion_time"])
    if not now - MAX_AGE <= happened <= now + MAX_AHEAD:
        raise WrongShapeError("conversion_time", "must be within the last 90 days")


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise WrongShapeError("conversion_time", "is no time") from error


def _received(event: Mapping[str, Any]) -> Received:
    conversion_id = event.get("conversion_id")
    return Received(
        event_name=event["event_id"],
        event_id=conversion_id,
        event_time=int(_time(event["conversion_time"]).timestamp()),
        action_source="",
        order_id=None,
        value=Decimal(event["value"]) if "value" in event else None,
        currency=event.get("price_currency", "USD") if "value" in event else None,
        user_data=tuple(kind for identifier in event["identifiers"] for kind in identifier),
        key=("x", event["event_id"], conversion_id) if conversion_id else (),
        window=WINDOW,
    )
