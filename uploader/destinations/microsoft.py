"""Microsoft Advertising, by the events of its UET Conversions API v1.

https://learn.microsoft.com/en-us/advertising/guides/uet-conversion-api-integration, read 2026-11-20. Events of the last
seven days go there; older ones, and goals of the kind *offline*, have an interface of their own. A request with one
invalid event is refused whole. Not documented, so ours: how large a body may be (1 MB), for how long an event is known
again (a resend stays within a quarter of an hour), how far ahead one may lie (a minute).
"""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from uploader.answers import json_object, whole_number
from uploader.destinations.interface import (
    Account,
    Body,
    Destination,
    Items,
    Limits,
    Option,
    Outcome,
    Request,
    Response,
    Verdict,
    Windows,
)
from uploader.destinations.shared import UUID, address, bearer, outcome_by_status, unconfirmed

if TYPE_CHECKING:
    from collections.abc import Mapping

# "Vertical specific parameters": which kind of page it was, for pages that are of one kind.
_PAGE_TYPES: Final = MappingProxyType(
    {
        "purchase": "purchase",
        "addtocart": "cart",
        "initiatecheckout": "cart",
        "viewcontent": "product",
        "search": "searchresults",
    }
)
_WORD: Final = re.compile(r"[A-Za-z0-9_]{1,64}")

# `error.code`, and for an invalid event the `errorCode` of the first detail that is no warning.
RULES: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "Unauthorized": (
            Verdict.BLOCKED,
            "this token is not that of this UET tag: copy it anew below Use Conversions API, and compare dataset_id",
        ),
        "ValidationError": (Verdict.REFUSED, "Microsoft finds an event invalid, and took none of the request"),
        "Empty": (Verdict.REFUSED, "a required value is missing"),
        "InvalidEnumValue": (Verdict.REFUSED, "a value is none of those that Microsoft knows"),
        "InvalidEventTime": (Verdict.REFUSED, "the time of the event is not within the last seven days"),
        "InvalidSha256": (Verdict.REFUSED, "a hashed value is no SHA-256"),
        "InvalidUrl": (Verdict.REFUSED, "an address is no URL"),
    }
)


class Microsoft(Destination):
    """Microsoft Advertising, by the events of a UET tag."""

    name: ClassVar[str] = "microsoft"
    base_url: ClassVar[str] = "https://capi.uet.microsoft.com"
    hosts: ClassVar[tuple[str, ...]] = ("capi.uet.microsoft.com",)
    api_version: ClassVar[str] = "v1"
    dataset_example: ClassVar[str] = "97000001"
    token_env: ClassVar[str] = "MICROSOFT_UET_TOKEN"  # noqa: S105 - the name of a variable
    windows: ClassVar[Windows] = Windows(dedup=None)
    limits: ClassVar[Limits] = Limits(events=1000, bytes=1_000_000)
    # A goal names the actions that it counts, and the user chooses these names: ours stay, unless `events` sets others.
    has_test_mode: ClassVar[bool] = False
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType(
        {name: name for name in ("Purchase", "Lead", "CompleteRegistration", "Subscribe", "QualifiedLead", "ClosedWon")}
    )
    options: ClassVar[Mapping[str, Option]] = MappingProxyType(
        {
            "data_provider": Option(
                "who sends, where that is somebody else than the advertiser: Microsoft asks third parties for it",
                "example-agency",
            )
        }
    )

    def body(self, account: Account) -> Body:
        """See `Destination.body`. What must not be used for advertising is held in SQL, so all that goes is granted."""
        is_page = self._is_page()
        return {
            "eventType": pl.when(is_page).then(pl.lit("pageLoad")).otherwise(pl.lit("custom")),
            "eventId": pl.col("event_id"),
            "eventName": self.event_name(account),
            "eventTime": pl.col("event_at").dt.epoch("s"),
            "eventSourceUrl": pl.col("event_source_url"),
            "referrerUrl": pl.col("referrer_url"),
            "adStorageConsent": pl.lit("G"),
            "userData": _user_data(),
            "customData": _custom_data(is_page),
        }

    @staticmethod
    def _is_page() -> pl.Expr:
        """Tell whether an event is the load of a page; without the page's address it could not go as one."""
        is_view = pl.col("event_name").str.to_lowercase() == "pageview"
        return is_view & (pl.col("action_source") == "website") & pl.col("event_source_url").is_not_null()

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:  # noqa: ARG002
        """See `Destination.request`."""
        provider = account.option("data_provider")
        named = b',"dataProvider":' + json.dumps(provider).encode() if provider else b""
        return Request(
            url=address(account, account.api_version, account.dataset_id, "events"),
            body=b"".join((b'{"data":[', events, b"]", named, b',"continueOnValidationError":false}')),
            headers={"Content-Type": "application/json"},
            secret_headers=bearer(account),
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: all or nothing; a success says how many, and may hold warnings."""
        answer = json_object(response.body)
        if response.status < 400:
            is_confirmed = response.status == 200 and whole_number(answer.get("eventsReceived")) == sent
            return Outcome(Verdict.ACCEPTED) if is_confirmed else unconfirmed(response)
        error = answer.get("error")
        told = error if isinstance(error, dict) and response.status < 500 else {}
        errors = _errors(told.get("details")) if response.status == 400 else []
        words = [*(detail.get("errorCode") for detail in errors), told.get("code")]
        code = next((word for word in words if isinstance(word, str) and _WORD.fullmatch(word)), None)
        places = {whole_number(detail.get("index")) for detail in errors}
        culprits = tuple(sorted(place for place in places if place is not None and 0 <= place < sent))
        return outcome_by_status(response, code, RULES, culprits)


def _user_data() -> Body:
    """Declare whose event it is. The visitor's id of Microsoft's own cookie is in no warehouse."""
    system = pl.col("app_info").list.first()
    return {
        "clientUserAgent": pl.col("user_agent"),
        "externalId": pl.col("external_id_sha256"),
        "em": pl.col("email_microsoft_sha256"),
        "ph": pl.col("phone_e164_sha256"),
        "clientIpAddress": pl.col("client_ip"),
        # Others are refused: a click id "must be a valid UUID". Links carry it with or without dashes.
        "msclkid": pl.when(pl.col("msclkid").str.contains(UUID)).then(pl.col("msclkid")),
        "idfa": pl.when(system == "i2").then(pl.col("madid")),
        "gaid": pl.when(system == "a2").then(pl.col("madid")),
    }


def _custom_data(is_page: pl.Expr) -> Body:
    """Declare what an event is worth. The load of a page has no revenue; a currency says nothing without a value."""
    value = pl.when(~is_page).then(pl.col("value"))
    name = pl.col("event_name").str.to_lowercase()
    is_website = pl.col("action_source") == "website"
    page_type = name.replace_strict(dict(_PAGE_TYPES), default=None, return_dtype=pl.String)
    return {
        "searchTerm": pl.col("search_string"),
        "transactionId": pl.col("order_id"),
        "value": value,
        "currency": pl.when(value.is_not_null()).then(pl.col("currency")),
        "items": Items("contents", {"id": "id", "quantity": "quantity", "price": "item_price", "name": "title"}),
        "itemIds": pl.col("content_ids"),
        "pageType": pl.when(is_website).then(page_type),
        "ecommTotalValue": pl.when(is_website & (name == "purchase")).then(pl.col("value")),
    }


def _errors(details: Any) -> list[Mapping[str, Any]]:
    """Return the details that are no warnings. Microsoft lists ten at most, both kinds together."""
    if not isinstance(details, list):
        return []
    return [detail for detail in details if isinstance(detail, dict) and detail.get("isWarning") is not True]


DESTINATION: Final = Microsoft()
