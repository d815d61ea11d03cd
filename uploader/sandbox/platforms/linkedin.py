"""LinkedIn's Conversions API, version 202609, by its documents.

https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversions-api, and the answers that
public integrations have seen of it, read 2026-11-20. One invalid event refuses the whole request; the answer names it
by its position. What is not published: how far ahead an event may lie (5 minutes here), and for how long an event is
known again that came the same way (a day here, as a guess). The path names no account, so the books know one only.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import (
    ANYTHING,
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

BOOKS: Final = "linkedin"
OLDEST_VERSION: Final = "202512"
"""Version 202511 ended on 2026-11-16."""
MAX_EVENTS: Final = 5000
MAX_AGE: Final = timedelta(days=90)
MAX_AHEAD: Final = timedelta(minutes=5)
WINDOW: Final = timedelta(days=1)
RULE: Final = "urn:lla:llaPartnerConversion:"
IPV4: Final = text_like(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", "an IPv4 address")
ID_VALUES: Final[Mapping[str, Shape]] = {
    "SHA256_EMAIL": SHA256,
    "LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID": TEXT,
    "ACXIOM_ID": TEXT,
    "PLAINTEXT_IP_ADDRESS": IPV4,
    "SHA256_IP_ADDRESS": SHA256,
    "GOOGLE_AID": TEXT,
}
VALUE: Final[Mapping[str, Shape]] = {
    "currencyCode": one_of(*sorted(CURRENCIES)),
    "amount": text_like(r"[0-9]+(\.[0-9]+)?", "a decimal as a string"),
}
USER_ID: Final[Mapping[str, Shape]] = {"idType": one_of(*ID_VALUES), "idValue": TEXT}
USER_INFO: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("firstName", "lastName", "title", "companyName"), TEXT),
    **dict.fromkeys(("hashedFirstName", "hashedLastName"), SHA256),
    "countryCode": text_like(r"[A-Z]{2}", "two letters of ISO 3166-1"),
}
USER: Final[Mapping[str, Shape]] = {
    "userIds": list_of(shaped(USER_ID, "idType", "idValue")),
    "userInfo": shaped(USER_INFO),
    "externalIds": list_of(TEXT, 1),
    "lead": TEXT,
}
EVENT: Final[Mapping[str, Shape]] = {
    "conversion": text_like(f"{RULE}[0-9]+", "the URN of a conversion rule"),
    "conversionHappenedAt": WHOLE,
    "conversionValue": ANYTHING,
    "eventId": TEXT,
    "user": ANYTHING,
}
REQUIRED: Final = ("conversion", "conversionHappenedAt", "user")


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path: ClassVar[re.Pattern[str]] = re.compile(r"/rest/conversionEvents")

    def dataset_of(self, path: str) -> str:  # noqa: ARG002 - the path names no account
        """See `uploader.sandbox.platforms.Platform`."""
        return BOOKS

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        refusal = self._unreadable(call)
        if refusal is not None:
            return Upload(BOOKS, refusal, refused=str(refusal.status), is_upload=call.method == "POST")
        found = json_body(call)
        events: Any = found["elements"] if found else []
        problems = {place: problem for place, event in enumerate(events) if (problem := _problem(event, now))}
        if problems:
            blocks = (f"Index: {place}, ERROR :: {problem}\n" for place, problem in problems.items())
            return Upload(BOOKS, _error(422, "INVALID", "".join(blocks)), refused="422", sent=len(events))
        return Upload(
            BOOKS,
            json_answer({"elements": [{"status": 201}] * len(events)}),
            tuple(map(_received, events)),
            sent=len(events),
            token_from="header",  # noqa: S106 - where it stood
        )

    def _unreadable(self, call: Call) -> Answer | None:
        """Say why none of the events is looked at."""
        if not self.is_token(bearer(call)):
            return _error(401, "INVALID_ACCESS_TOKEN", "Invalid access token", 65600)
        version = call.headers.get("linkedin-version", "")
        if not re.fullmatch(r"20[0-9]{2}(0[1-9]|1[0-2])", version):
            return _error(400, "VERSION_MISSING", "A version must be present.")
        if version < OLDEST_VERSION:
            return _error(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active")
        is_batch = call.method == "POST" and call.headers.get("x-restli-method", "").upper() == "BATCH_CREATE"
        if not is_batch or call.headers.get("x-restli-protocol-version") != "2.0.0":
            return _error(400, "ILLEGAL_ARGUMENT", "This stand-in takes batches of Rest.li 2.0.0 only.")
        try:
            check(json_body(call), {"elements": list_of(ANYTHING, MAX_EVENTS)}, required=("elements",))
        except WrongShapeError as error:
            return _error(400, "ILLEGAL_ARGUMENT", str(error))
        return None


def _error(status: int, code: str, message: str, number: int | None = None) -> Answer:
    content = {"status": status, "code": code, "message": message}
    return json_answer(content if number is None else content | {"serviceErrorCode": number}, status)


def _problem(event: Any, now: datetime) -> str | None:
    """Say what makes an event invalid, as a path and words."""
    try:
        check(event, EVENT, required=REQUIRED)
        check(event["user"], USER, "user", required=("userIds",))
        if "conversionValue" in event:
            check(event["conversionValue"], VALUE, "conversionValue", required=("currencyCode", "amount"))
        _check_user(event["user"])
        _check_time(event["conversionHappenedAt"] / 1000, now)
    except WrongShapeError as error:
        return f"/{error.path.replace('.', '/')} :: {error.problem}"
    return None


def _check_time(happened: float, now: datetime) -> None:
    if happened < (now - MAX_AGE).timestamp():
        raise WrongShapeError("conversionHappenedAt", "must be within the last 90 days")
    if happened > (now + MAX_AHEAD).timestamp():
        raise WrongShapeError("conversionHappenedAt", "must not lie in the future")


def _check_user(user: Mapping[str, Any]) -> None:
    """Raise unless there is somebody, and each identifier has the form of its kind."""
    for place, found in enumerate(user["userIds"]):
        words, is_right = ID_VALUES[found["idType"]]
        if not is_right(found["idValue"]):
            raise WrongShapeError(f"user.userIds.{place}.idValue", f"must be {words}")
    info = user.get("userInfo", {})
    has_name = {"firstName", "lastName"} <= info.keys() or {"hashedFirstName", "hashedLastName"} <= info.keys()
    if info and not has_name:
        raise WrongShapeError("user.userInfo.firstName", "field is required but not found")
    if not (user["userIds"] or has_name or "lead" in user):
        raise WrongShapeError("user", "must have an identifier, first and last name, or a lead")


def _received(event: Mapping[str, Any]) -> Received:
    rule, amount = event["conversion"].removeprefix(RULE), event.get("conversionValue", {})
    event_id = event.get("eventId")
    return Received(
        event_name=rule,
        event_id=event_id,
        event_time=event["conversionHappenedAt"] // 1000,
        action_source="",
        order_id=None,
        value=Decimal(amount["amount"]) if amount else None,
        currency=amount.get("currencyCode"),
        user_data=tuple(found["idType"] for found in event["user"]["userIds"]),
        key=("linkedin", rule, event_id) if event_id else (),
        window=WINDOW,
    )
