"""Pinterest, by the events of its Conversions API v5.

https://developers.pinterest.com/docs/api/v5/events-create, and the OpenAPI description 5.23.0 of 2025-12-11 at
github.com/pinterest/api-description, read 2026-11-20. The description forbids unknown keys, so what it does not name is
not sent. It judges each event of a request by itself. Not documented, so ours: how old an event may be (7 days), how
large a body (4 MB), for how long it knows an event again (a resend stays within a quarter of an hour).
"""

from __future__ import annotations

from datetime import timedelta
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
    Listed,
    Outcome,
    Request,
    Response,
    Verdict,
    Windows,
    decimal_text,
)
from uploader.destinations.shared import address, bearer, outcome_by_status, unconfirmed

if TYPE_CHECKING:
    from collections.abc import Mapping

_APPS: Final = MappingProxyType({"i2": "app_ios", "a2": "app_android"})
_LISTS: Final = MappingProxyType({"em": "email_sha256s", "ph": "phone_digits_sha256s"})
_HASHED: Final = MappingProxyType(
    {
        "ge": "gender_sha256",
        "db": "date_of_birth_sha256",
        "ln": "last_name_sha256",
        "fn": "first_name_sha256",
        "ct": "city_sha256",
        "st": "region_sha256",
        "zp": "postal_code_sha256",
        "country": "country_sha256",
        "external_id": "external_id_sha256",
    }
)
# "exception code" of the description's error object, by which its texts need not be read.
RULES: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "2": (Verdict.BLOCKED, "the access token is invalid or has expired: create a new one in Ads Manager"),
        "8": (Verdict.THROTTLED, "Pinterest takes 5,000 requests a minute for an ad account"),
        "29": (Verdict.BLOCKED, "the token's owner has no role at this ad account that may send events"),
        "4196": (Verdict.REFUSED, "Pinterest finds the form of an event invalid"),
        "4197": (Verdict.IN_DOUBT, "Pinterest is not available"),
    }
)


_OFFLINE: Final = ("business_messaging", "chat", "email", "other", "phone_call", "physical_store", "system_generated")
"""What goes as ``offline``, of which Pinterest recognizes no repetition, says the same description."""


class Pinterest(Destination):
    """Pinterest, by the events of an ad account."""

    name: ClassVar[str] = "pinterest"
    base_url: ClassVar[str] = "https://api.pinterest.com"
    hosts: ClassVar[tuple[str, ...]] = ("api.pinterest.com",)
    api_version: ClassVar[str] = "v5"
    dataset_example: ClassVar[str] = "549755885175"
    token_env: ClassVar[str] = "PINTEREST_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    windows: ClassVar[Windows] = Windows(None, MappingProxyType(dict.fromkeys(_OFFLINE, timedelta())))
    limits: ClassVar[Limits] = Limits(events=1000, bytes=4_000_000)
    requests_per_minute: ClassVar[float] = 5000
    # Since 2026 there are also start_trial, schedule and contact, which the description does not name yet: whoever has
    # them sets them in `events`. Everything else is custom, under that one name.
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "Purchase": "checkout",
            "AddToCart": "add_to_cart",
            "InitiateCheckout": "initiate_checkout",
            "AddPaymentInfo": "add_payment_info",
            "AddToWishlist": "add_to_wishlist",
            "Lead": "lead",
            "CompleteRegistration": "signup",
            "Subscribe": "subscribe",
            "ViewContent": "view_content",
            "PageView": "page_visit",
            "Search": "search",
        }
    )
    custom_event: ClassVar[str | None] = "custom"

    def body(self, account: Account) -> Body:
        """See `Destination.body`."""
        source = pl.col("action_source")
        app = pl.col("app_info").list.first().replace_strict(dict(_APPS), default=None, return_dtype=pl.String)
        return {
            "event_name": self.event_name(account),
            "action_source": pl.when(source == "website")
            .then(pl.lit("web"))
            .when(source == "app")
            .then(app.fill_null("offline"))
            .otherwise(pl.lit("offline")),
            "event_time": pl.col("event_at").dt.epoch("s"),
            "event_id": pl.col("event_id"),
            "event_source_url": pl.col("event_source_url"),
            "user_data": {
                **{key: pl.col(column) for key, column in _LISTS.items()},
                **{key: Listed(pl.col(column)) for key, column in _HASHED.items()},
                "client_ip_address": pl.col("client_ip"),
                "client_user_agent": pl.col("user_agent"),
                "click_id": pl.col("epik"),
            },
            "custom_data": _custom_data(),
        }

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:  # noqa: ARG002
        """See `Destination.request`. A rehearsal is answered like any other and recorded nowhere."""
        url = address(account, account.api_version, "ad_accounts", account.dataset_id, "events")
        return Request(
            url=f"{url}?test=true" if account.test_event_code else url,
            body=b"".join((b'{"data":[', events, b"]}")),
            headers={"Content-Type": "application/json"},
            secret_headers=bearer(account),
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: 200 and 422 tell of each event; all other errors are about the request."""
        answer = json_object(response.body)
        told = answer.get("details") if response.status == 422 else answer
        if response.status in {200, 422} and isinstance(told, dict):
            failed = _failed(told.get("events"), sent)
            if failed is not None:
                return _outcome(failed, sent)
        if response.status < 400:
            return unconfirmed(response)
        code = whole_number(answer.get("code"))
        return outcome_by_status(response, None if code is None else str(code), RULES)


def _custom_data() -> Body:
    lines = {"id": "id", "item_price": "item_price", "quantity": "quantity"}
    lines |= {"item_name": "title", "item_category": "category"}
    return {
        "currency": pl.col("currency"),
        "value": decimal_text(pl.col("value")),
        "content_ids": pl.col("content_ids"),
        "contents": Items("contents", lines, as_text=frozenset({"item_price"})),
        "num_items": pl.col("num_items"),
        "order_id": pl.col("order_id"),
        "search_string": pl.col("search_string"),
        "content_name": pl.col("content_name"),
        "content_category": pl.col("content_category"),
        "predicted_ltv": decimal_text(pl.col("predicted_ltv")),
        "opt_out_type": pl.when(pl.col("is_limited_data_use")).then(pl.lit("LDP")),
    }


def _failed(events: Any, sent: int) -> dict[int, str] | None:
    """Return the positions of the events that failed; None unless each of them is told of."""
    if not isinstance(events, list) or len(events) != sent:
        return None
    statuses = [event.get("status") if isinstance(event, dict) else None for event in events]
    if not set(statuses) <= {"processed", "failed"}:
        return None
    return {place: "event_failed" for place, status in enumerate(statuses) if status == "failed"}


def _outcome(failed: Mapping[int, str], sent: int) -> Outcome:
    if not failed:
        return Outcome(Verdict.ACCEPTED)
    message = "Pinterest could not process it: compare `uploader plan --show 1` with its documents"
    if len(failed) == sent:
        return Outcome(Verdict.REFUSED, "event_failed", message, culprits=tuple(failed))
    return Outcome(Verdict.PARTIAL, "event_failed", message, refused=failed)


DESTINATION: Final = Pinterest()
