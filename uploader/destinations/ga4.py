"""Google Analytics 4, by its Measurement Protocol.

https://developers.google.com/analytics/devguides/collection/protocol/ga4 (sending events, reference, validation) and
https://support.google.com/analytics/answer/12313109 on transactions that come twice; read 2026-11-20. A request belongs
to one browser, so it carries one event. The answer says nothing of it: any success means that the request arrived. An
event has no id and counts each time that it comes; only a purchase of the same browser is known by its transaction.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote

import polars as pl

from uploader.answers import json_object
from uploader.destinations.interface import (
    Account,
    Body,
    Destination,
    Items,
    Limits,
    Listed,
    Objects,
    Outcome,
    Request,
    Response,
    Secret,
    Verdict,
    Windows,
)
from uploader.destinations.shared import address, outcome_by_status, printable_token

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = r"^[A-Za-z][A-Za-z0-9_]{0,39}$"
# The names that tags and apps report themselves, and prefixes that are Google's own.
_RESERVED: Final = (
    *("ad_activeview", "ad_click", "ad_exposure", "ad_impression", "ad_query", "ad_reward", "adunit_exposure"),
    *("app_clear_data", "app_exception", "app_install", "app_remove", "app_store_refund", "app_update", "app_upgrade"),
    *("error", "firebase_campaign", "first_open", "first_visit", "in_app_purchase", "os_update", "screen_view"),
    *("session_start", "user_engagement"),
)
_RESERVED_BEGIN: Final = r"^(?:dynamic_link_|firebase_|notification_|ga_|google_)"
# "Parameter values must be 100 characters or fewer", with exceptions for the two addresses of a page.
_LONGEST_VALUE: Final = 100
_LONGEST_PAGE: Final = 1000
_LONGEST_REFERRER: Final = 420
_MARKETING: Final = "marketing"
_ABOUT_THE_REQUEST: Final = "requests are not taken at this address: check base_url, dataset_id and the secret"
_PASSING: Final = frozenset({408, 413, 429})
# "validationCode" of the page on validating events.
_CODES: Final = frozenset(
    {
        "VALUE_INVALID",
        "VALUE_REQUIRED",
        "NAME_INVALID",
        "NAME_RESERVED",
        "VALUE_OUT_OF_BOUNDS",
        "EXCEEDED_MAX_ENTITIES",
        "NAME_DUPLICATED",
    }
)


class GA4(Destination):
    """Google Analytics 4, by the data stream of a website."""

    name: ClassVar[str] = "ga4"
    base_url: ClassVar[str] = "https://www.google-analytics.com"
    hosts: ClassVar[tuple[str, ...]] = ("www.google-analytics.com", "region1.google-analytics.com")
    api_version: ClassVar[str] = "mp"
    dataset_example: ClassVar[str] = "G-ABCDE12345"
    token_env: ClassVar[str] = "GA4_API_SECRET"  # noqa: S105 - the name of a variable
    windows: ClassVar[Windows] = Windows(dedup=timedelta())
    # "The post body must be smaller than 130kB."
    limits: ClassVar[Limits] = Limits(events=1, bytes=130_000 - 1)
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "Purchase": "purchase",
            "AddToCart": "add_to_cart",
            "InitiateCheckout": "begin_checkout",
            "AddPaymentInfo": "add_payment_info",
            "AddToWishlist": "add_to_wishlist",
            "ViewContent": "view_item",
            "PageView": "page_view",
            "Search": "search",
            "Lead": "generate_lead",
            "LeadSubmitted": "generate_lead",
            "QualifiedLead": "qualify_lead",
            "ClosedWon": "close_convert_lead",
            "CompleteRegistration": "sign_up",
            "Contact": "contact",
            "Schedule": "schedule",
            "SubmitApplication": "submit_application",
            "StartTrial": "start_trial",
            "Subscribe": "subscribe",
            "Renewal": "renewal",
            "CustomizeProduct": "customize_product",
            "Donate": "donate",
            "FindLocation": "find_location",
            "CartAbandoned": "cart_abandoned",
            "OrderCreated": "order_created",
            "OrderShipped": "order_shipped",
            "OrderDelivered": "order_delivered",
            "OrderCanceled": "order_canceled",
            "OrderReturned": "order_returned",
            "RatingProvided": "rating_provided",
            "ReviewProvided": "review_provided",
        }
    )

    def event_name(self, account: Account) -> pl.Expr:
        """Return the name of each event; NULL where it would be thrown away: nobody would be told of it."""
        name = super().event_name(account)
        is_free = ~(name.is_in(_RESERVED) | name.str.contains(_RESERVED_BEGIN))
        return pl.when(name.str.contains(_NAME) & is_free).then(name)

    def missing(self, event_name: str, action_source: str) -> str:  # noqa: ARG002
        """See `Destination.missing`."""
        return (
            f"destinations.{self.name}.events.{event_name} (a name of up to 40 letters, digits and _ that Google "
            "Analytics does not keep for itself, like contact)"
        )

    def body(self, account: Account) -> Body:
        """Declare a whole request: the browser, and the one event of it."""
        behaviour = "ENFORCE_RECOMMENDATIONS" if account.test_event_code else None
        return {
            "client_id": pl.col("ga_client_id"),
            "timestamp_micros": pl.col("event_at").dt.epoch("us"),
            "user_data": {
                "sha256_email_address": Listed(pl.col("email_gmail_sha256")),
                "sha256_phone_number": Listed(pl.col("phone_e164_sha256")),
            },
            "consent": {"ad_user_data": _granted(), "ad_personalization": _granted()},
            "validation_behavior": pl.lit(behaviour, pl.String),
            "events": Objects(({"name": self.event_name(account), "params": self._params(account)},)),
        }

    def _params(self, account: Account) -> Body:
        """Return the parameters that Google Analytics has reports for; others would need a definition there."""
        # An empty transaction would make all such purchases one.
        transaction = pl.when(pl.col("order_id") != "").then(pl.col("order_id"))
        is_purchase = self.event_name(account) == "purchase"
        return {
            "transaction_id": transaction.fill_null(pl.when(is_purchase).then(pl.col("event_id"))),
            "value": pl.when(pl.col("currency").is_not_null()).then(pl.col("value")),
            "currency": pl.col("currency"),
            "items": Items(
                "contents",
                {
                    "item_id": "id",
                    "item_name": "title",
                    "item_category": "category",
                    "price": "item_price",
                    "quantity": "quantity",
                },
            ),
            "search_term": pl.col("search_string").str.slice(0, _LONGEST_VALUE),
            "page_location": pl.col("event_source_url").str.slice(0, _LONGEST_PAGE),
            "page_referrer": pl.col("referrer_url").str.slice(0, _LONGEST_REFERRER),
            # Without it an event makes no active user.
            "engagement_time_msec": pl.lit(1, pl.Int64),
        }

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:  # noqa: ARG002
        """See `Destination.request`. A rehearsal goes to the server that only checks."""
        path = ("debug", "mp", "collect") if account.test_event_code else ("mp", "collect")
        return Request(
            url=f"{address(account, *path)}?measurement_id={quote(account.dataset_id, safe='')}",
            body=bytes(events),
            headers={"Content-Type": "application/json"},
            # It is taken nowhere else.
            secret_query={"api_secret": Secret(printable_token(account))},
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: nothing is told of the event, but by the server that only checks."""
        if 200 <= response.status < 300:
            messages = json_object(response.body).get("validationMessages")
            if not messages:
                return Outcome(Verdict.ACCEPTED)
            message = "Google Analytics finds the event invalid: compare `uploader plan --show 1` with its documents"
            culprits = (0,) if sent == 1 else ()
            return Outcome(Verdict.REFUSED, _code(messages), message, culprits=culprits)
        # "Do not retry the same request": a refusal is about how it was made, never about the event in it.
        if 400 <= response.status < 500 and response.status not in _PASSING:
            return Outcome(Verdict.BLOCKED, f"http_{response.status}", _ABOUT_THE_REQUEST)
        return outcome_by_status(response)


def _code(messages: object) -> str:
    """Return the first message's code, where it is one of those that are known."""
    first = messages[0] if isinstance(messages, list) else None
    code = first.get("validationCode") if isinstance(first, dict) else None
    return code if isinstance(code, str) and code in _CODES else "validation_failed"


def _granted() -> pl.Expr:
    """Say that the person agreed to advertising; nothing for who only agreed to statistics, or was not asked."""
    both = (pl.col("consent_at_event") == "granted") & (pl.col("consent_at_as_of") == "granted")
    return pl.when(both & (pl.col("consent_purpose") == _MARKETING)).then(pl.lit("GRANTED"))


DESTINATION: Final = GA4()
