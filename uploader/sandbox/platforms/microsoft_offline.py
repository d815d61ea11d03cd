"""Microsoft Advertising's import of offline conversions, by its reference of the Campaign Management API v13.

https://learn.microsoft.com/en-us/advertising/campaign-management-service/applyofflineconversions, read 2026-11-20.
Each conversion is judged by itself, and the answer lists those that were not taken by their place. Stricter than the
reference: an unknown key is no readable request, a click id must be a UUID, a goal's name may not be empty but is
not looked up. Not published: what repeats a conversion without a click (nothing here, so it counts again).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.received import Received, Upload
from uploader.sandbox.shape import ANYTHING, SHA256, WrongShapeError, check, is_number, list_of, text_like
from uploader.sandbox.stand_in import StandIn, bearer, json_body
from uploader.sandbox.wire import Answer, Call, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.sandbox.faults import Fault

BOOKS: Final = "microsoft_offline"
"""The path names no account, so the books know one only."""
MAX_ROWS: Final = 1000
MAX_AGE: Final = timedelta(days=90)
CREDIT: Final = ("ExternalAttributionCredit", "ExternalAttributionModel")
HASHES: Final = ("HashedEmailAddress", "HashedPhoneNumber")
KEYS: Final = ("ConversionName", "ConversionTime", "ConversionValue", "ConversionCurrencyCode", "MicrosoftClickId")
ROW: Final = dict.fromkeys((*KEYS, *HASHES, *CREDIT), ANYTHING)
TIME: Final = text_like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z?", "a time of XML Schema in UTC")
CLICK: Final = text_like(r"[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}", "a click id")
NAMES: Final[Mapping[int, str]] = {
    100: "NullRequest",
    105: "InvalidCredentials",
    5601: "OfflineConversionsLimitExceeded",
    5603: "MicrosoftClickIdNullOrEmpty",
    5604: "MicrosoftClickIdInvalid",
    5605: "ConversionNameEmpty",
    5607: "ConversionTimeInvalid",
    5608: "ConversionTimeEmpty",
    5609: "OfflineConversionTimeOutOfWindow",
    5610: "ConversionValueInvalid",
    5611: "ConversionCurrencyCodeInvalid",
    5614: "FutureConversionTime",
    8004: "EmailMustBeHashed",
}


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path: ClassVar[re.Pattern[str]] = re.compile(r"/CampaignManagement/v13/OfflineConversions/Apply")

    def dataset_of(self, path: str) -> str:  # noqa: ARG002 - the path names no account
        """See `uploader.sandbox.platforms.Platform`."""
        return BOOKS

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:  # noqa: ARG002
        """See `uploader.sandbox.platforms.Platform`."""
        refusal = self._unreadable(call)
        if refusal is not None:
            status, code, field = refusal
            return Upload(BOOKS, _fault(status, code, field), refused=str(code), is_upload=call.method == "POST")
        found = json_body(call)
        rows: Any = found["OfflineConversions"] if found else []
        problems = {place: wrong for place, row in enumerate(rows) if (wrong := _problem(row, now))}
        errors = [
            {"Index": place, "Code": number, "ErrorCode": NAMES[number], "Type": "BatchError", "Message": NAMES[number]}
            for place, number in problems.items()
        ]
        return Upload(
            BOOKS,
            json_answer({"PartialErrors": errors}),
            tuple(_received(row) for place, row in enumerate(rows) if place not in problems),
            refused=str(min(problems.values())) if problems else None,
            sent=len(rows),
            token_from="header",  # noqa: S106 - where it stood
        )

    def _unreadable(self, call: Call) -> tuple[int, int, str] | None:
        """Say why none of the rows is looked at: status, code, and the list that tells of it."""
        headers = call.headers
        accounts = (headers.get("customeraccountid", ""), headers.get("customerid", ""))
        is_known = all(re.fullmatch("[0-9]+", number) for number in accounts)
        if not self.is_token(bearer(call)) or not self.is_token(headers.get("developertoken")) or not is_known:
            return 401, 105, "Errors"
        if call.method != "POST":
            return 405, 100, "OperationErrors"
        try:
            check(json_body(call), {"OfflineConversions": list_of(ANYTHING)}, required=("OfflineConversions",))
            rows: Any = (json_body(call) or {})["OfflineConversions"]
            for row in rows:
                check(row, ROW)
        except WrongShapeError:
            return 400, 100, "OperationErrors"
        return (400, 5601, "OperationErrors") if len(rows) > MAX_ROWS else None


def _fault(status: int, code: int, field: str) -> Answer:
    return json_answer({field: [{"Code": code, "ErrorCode": NAMES[code], "Message": NAMES[code]}]}, status)


def _problem(row: Mapping[str, Any], now: datetime) -> int | None:
    """Return the code of what is wrong with a row first."""
    value, currency = row.get("ConversionValue"), row.get("ConversionCurrencyCode")
    email, phone, click = (row.get(key) for key in (*HASHES, "MicrosoftClickId"))
    found = {
        5605: not row.get("ConversionName"),
        5610: value is not None and not (is_number(value) and value >= 0),
        5611: currency is not None and currency not in CURRENCIES,
        5603: not (email or phone or click),
        5604: click is not None and not CLICK[1](click),
        8004: any(digest is not None and not SHA256[1](digest) for digest in (email, phone)),
    }
    return _time_problem(row.get("ConversionTime"), now) or next((code for code, is_so in found.items() if is_so), None)


def _time_problem(told: Any, now: datetime) -> int | None:
    if told is None:
        return 5608
    if not TIME[1](told):
        return 5607
    happened = _moment(told)
    return 5614 if happened > now else 5609 if happened < now - MAX_AGE else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


def _received(row: Mapping[str, Any]) -> Received:
    """Return a conversion as it counts: what repeats one has its click, goal and time."""
    goal, happened, click = row["ConversionName"], row["ConversionTime"], row.get("MicrosoftClickId")
    value = row.get("ConversionValue")
    return Received(
        event_name=goal,
        event_id=None,
        event_time=int(_moment(happened).timestamp()),
        action_source="",
        order_id=None,
        value=None if value is None else Decimal(value),
        currency=row.get("ConversionCurrencyCode"),
        user_data=tuple(key for key in ("MicrosoftClickId", *HASHES) if key in row),
        key=(BOOKS, goal, click, happened) if click else (),
        window=MAX_AGE,
    )
