"""TikTok, by the events of its Events API 2.0 (v1.3): web, app, offline and CRM, each under an id of its own.

https://business-api.tiktok.com/portal/docs?id=1771101303285761, read 2026-11-20. All events of a request share their
source, and one wrong event refuses all of them. Not published, so ours: how old an event may be, and how large a
request (1 MB). Names, postal code, state and country are not in that document: others send them for websites.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import orjson
import polars as pl

from uploader.answers import json_object, whole_number
from uploader.destinations.interface import (
    Account,
    Body,
    Destination,
    Items,
    Limits,
    Listed,
    Option,
    Outcome,
    Request,
    Response,
    Secret,
    Verdict,
    Windows,
)
from uploader.destinations.shared import address, outcome_by_status, printable_token, unconfirmed
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.destinations.interface import Leaf

_IDS: Final = MappingProxyType({"app": "app_id", "offline": "offline_set_id", "crm": "crm_set_id"})
_SAME_NAMES: Final = (
    *("Purchase", "Lead", "AddToCart", "AddToWishlist", "InitiateCheckout", "AddPaymentInfo", "CompleteRegistration"),
    *("Subscribe", "StartTrial", "Schedule", "Contact", "ViewContent", "Search", "CustomizeProduct", "FindLocation"),
    *("SubmitApplication", "PageView", "ApplicationApproval", "Download"),
)
# "For offline events, it can only be a Standard Event": these, and the older names that TikTok still takes.
STANDARD: Final = (*_SAME_NAMES, "CompletePayment", "SubmitForm", "PlaceAnOrder", "ClickButton")
_CUSTOMERS: Final = MappingProxyType({"new_customer_to_business": "new", "existing_customer_to_business": "returning"})
# The position of an event in texts like "Batch.0.properties.value: Not a valid number."
_POSITION: Final = re.compile(r"\b(?:batch|data)[.\[]([0-9]{1,5})\b", re.IGNORECASE | re.ASCII)
_TRACE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_BAD_TOKEN: Final = (Verdict.BLOCKED, "the access token is invalid or revoked: create a new one in Events Manager")
_BAD_EVENT: Final = (Verdict.REFUSED, "TikTok finds an event invalid: a value has the wrong form, or one is missing")
RULES: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "40000": _BAD_EVENT,
        "40001": (
            Verdict.BLOCKED,
            "the token may not write there: its owner must be operator or admin of the advertiser",
        ),
        "40002": _BAD_EVENT,
        "40100": (Verdict.THROTTLED, "TikTok limits the rate of requests"),
        "40105": _BAD_TOKEN,
        "50000": (Verdict.IN_DOUBT, "TikTok had an error of its own"),
    }
)


class TikTok(Destination):
    """TikTok, by a pixel's events, and by those of an app and of sets of offline and CRM events."""

    name: ClassVar[str] = "tiktok"
    base_url: ClassVar[str] = "https://business-api.tiktok.com"
    hosts: ClassVar[tuple[str, ...]] = ("business-api.tiktok.com",)
    api_version: ClassVar[str] = "v1.3"
    dataset_example: ClassVar[str] = "CABCDEFGHIJKLMNOPQRS"
    token_env: ClassVar[str] = "TIKTOK_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    # https://ads.tiktok.com/help/article/event-deduplication, read 2026-11-20: 48 hours between two events of this
    # interface. The reference compares the ids of web, offline and CRM events, and says nothing of apps.
    windows: ClassVar[Windows] = Windows(timedelta(hours=48), MappingProxyType({"app": None}))
    limits: ClassVar[Limits] = Limits(events=1000, bytes=1_000_000)
    # 1,000 a second. The 600,000 a minute that are published beside it are more than that.
    requests_per_minute: ClassVar[float] = 60_000
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType({name: name for name in _SAME_NAMES})
    options: ClassVar[Mapping[str, Option]] = MappingProxyType(
        {
            "site_url": Option(
                "the shop's address, for events of the website whose page is not known",
                "https://shop.example.com/",
                r"https?://[!-~]{1,190}",
                is_required=True,
            ),
            "app_id": Option("the TikTok App ID, for events of the app", "7123456789012345678"),
            "ios_app_id": Option(
                "the app's number in the App Store, for its events on iOS", "343200656", r"[0-9]{5,15}"
            ),
            "offline_set_id": Option("the id of the offline event set", "7234567890123456789"),
            "crm_set_id": Option("the id of the CRM event set, for leads of TikTok's own forms", "7345678901234567890"),
        }
    )

    def place(self, account: Account) -> pl.Expr:
        """See `Destination.place`: the event's source, as far as the account has an id for it.

        A CRM event needs the id of a lead of TikTok's, so one without it goes where all other events go.
        """
        name, source, nowhere = self.event_name(account), pl.col("action_source"), pl.lit(None, pl.String)
        app, offline, crm = (pl.lit(place) if account.option(_IDS[place]) else nowhere for place in _IDS)
        elsewhere: pl.Expr = pl.when(name.is_in(STANDARD)).then(offline)
        if account.option("crm_set_id"):
            elsewhere = pl.when(pl.col("lead_id").is_not_null()).then(crm).otherwise(elsewhere)
        placed = pl.when(source == "website").then(pl.lit("web")).when(source == "app").then(app).otherwise(elsewhere)
        return pl.when(name.is_not_null()).then(placed)

    def missing(self, event_name: str, action_source: str) -> str:
        """See `Destination.missing`."""
        key = "app_id" if action_source == "app" else "offline_set_id"
        setting = f"destinations.{self.name}.options.{key} ({self.options[key].about})"
        if action_source == "app" or event_name.lower() in map(str.lower, STANDARD):
            return setting
        return (
            f"destinations.{self.name}.events.{event_name} (a standard event's name: a set of offline events takes "
            f"no other) and {setting}"
        )

    def body(self, account: Account) -> Body:
        """See `Destination.body`; keys in the order of the reference."""
        limited = pl.col("is_limited_data_use") & pl.col("action_source").is_in(["website", "app"])
        is_crm = self.place(account) == "crm"
        page = pl.coalesce("event_source_url", _only("website", pl.lit(account.option("site_url"), pl.String)))
        return {
            "event": self.event_name(account),
            "event_time": pl.col("event_at").dt.epoch("s"),
            "event_id": pl.col("event_id"),
            "user": _user(),
            "properties": _properties(),
            "page": {"url": page, "referrer": pl.col("referrer_url")},
            "app": _app(account),
            "lead": {key: pl.when(is_crm).then(pl.col(key)) for key in ("lead_id", "lead_event_source")},
            "limited_data_use": pl.when(limited).then(pl.lit(True)),
        }

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:
        """See `Destination.request`. A rehearsal's code stands beside the events, for all of them."""
        source = place or "web"
        source_id = account.dataset_id if source == "web" else account.option(_IDS[source])
        if not source_id:
            raise ConfigurationError(f"options.{_IDS[source]} is missing: {self.options[_IDS[source]].about}")
        about = {"event_source": source, "event_source_id": source_id}
        if account.test_event_code:
            about["test_event_code"] = account.test_event_code
        return Request(
            # The address ends with a slash.
            url=address(account, "open_api", account.api_version, "event", "track", ""),
            body=b"".join((orjson.dumps(about)[:-1], b',"data":[', events, b"]}")),
            headers={"Content-Type": "application/json"},
            secret_headers={"Access-Token": Secret(printable_token(account))},
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: the status is 200 for nearly everything, and the code says what is meant."""
        answer = json_object(response.body)
        code, trace_id = whole_number(answer.get("code")), _trace(answer.get("request_id"))
        if code == 0 and response.status == 200 and (trace_id or answer.get("message") == "OK"):
            return Outcome(Verdict.ACCEPTED, trace_id=trace_id)
        if not code:
            return unconfirmed(response, trace_id) if response.status < 400 else outcome_by_status(response)
        # 401xx is about tokens, but for the one that is about the rate.
        rules = {str(code): _BAD_TOKEN, **RULES} if code // 100 == 401 else RULES
        outcome = outcome_by_status(response, str(code), rules, _culprits(answer.get("message"), sent))
        return replace(outcome, trace_id=trace_id)


def _only(source: str, value: pl.Expr) -> pl.Expr:
    """Return a value for events of one source, NULL for others."""
    return pl.when(pl.col("action_source") == source).then(value)


def _app_info(position: int) -> pl.Expr:
    """Return what an app's event says of the app and the device; NULL where it says nothing."""
    found = pl.col("app_info").list.get(position, null_on_oob=True)
    return _only("app", pl.when(found != "").then(found))


def _on(system: str, value: pl.Expr) -> pl.Expr:
    """Return a value for events of the app on one system: ``i2`` is iOS, ``a2`` is Android."""
    return pl.when(_app_info(0) == system).then(value)


def _user() -> Body:
    """Return who it was. Each key stands for those sources only that the reference names.

    It has ``external_id`` for web and CRM; for offline events others send it too.
    """
    tracking = pl.col("advertiser_tracking_enabled")
    hashed = {"first_name": "first_name_sha256", "last_name": "last_name_sha256", "zip_code": "postal_code_sha256"}
    plain = {"state": ("region_code", "region_sha256"), "country": ("country_code", "country_sha256")}
    return {
        "email": pl.col("email_sha256s"),
        "phone": Listed(pl.col("phone_e164_sha256")),
        "external_id": Listed(pl.when(pl.col("action_source") != "app").then(pl.col("external_id_sha256"))),
        **{key: _only("website", pl.col(column)) for key, column in hashed.items()},
        # In clear, but only where the same may be told as a hash.
        **{
            key: _only("website", pl.when(pl.col(told).is_not_null()).then(pl.col(column).str.to_lowercase()))
            for key, (column, told) in plain.items()
        },
        "ttclid": _only("website", pl.col("ttclid")),
        "ip": pl.col("client_ip"),
        "user_agent": pl.col("user_agent"),
        "locale": _app_info(6).str.replace_all("_", "-", literal=True),
        "idfa": _on("i2", pl.col("madid").str.to_uppercase()),
        "idfv": _on("i2", pl.col("vendor_id")),
        "gaid": _on("a2", pl.col("madid").str.to_lowercase()),
        "att_status": pl.coalesce(
            _on("a2", pl.lit("NOT_APPLICABLE")),
            _on("i2", pl.when(tracking).then(pl.lit("AUTHORIZED")).when(~tracking).then(pl.lit("DENIED"))),
        ),
    }


def _properties() -> Body:
    """Return what it was about. Another ``content_type`` than these two would refuse the whole request."""
    is_known = pl.col("content_type").is_in(["product", "product_group"])
    customer = pl.col("customer_segmentation").replace_strict(dict(_CUSTOMERS), default=None, return_dtype=pl.String)
    contents = {
        "price": "item_price",
        "quantity": "quantity",
        "content_id": "id",
        "content_name": "title",
        "content_category": "category",
    }
    found: dict[str, Leaf] = {
        "content_ids": pl.col("content_ids"),
        "contents": Items("contents", contents),
        "content_type": pl.when(is_known).then(pl.col("content_type")),
        "currency": pl.col("currency"),
        "value": pl.col("value"),
        "num_items": pl.col("num_items"),
        "search_string": pl.col("search_string"),
        "description": pl.col("content_name"),
        "order_id": pl.col("order_id"),
        "customer_type": pl.when(pl.col("action_source").is_in(["website", "app"])).then(customer),
        "predicted_ltv": pl.col("predicted_ltv"),
    }
    return found


def _app(account: Account) -> Body:
    """Return which app it was: its number in the App Store if that is set, else the package's name."""
    number = pl.lit(account.option("ios_app_id"), pl.String)
    return {"app_id": pl.coalesce(_on("i2", number), _app_info(1)), "app_version": _app_info(2)}


def _trace(found: Any) -> str | None:
    return found if isinstance(found, str) and _TRACE.fullmatch(found) else None


def _culprits(message: Any, sent: int) -> tuple[int, ...]:
    """Return the positions that TikTok's text names."""
    named = map(int, _POSITION.findall(message)) if isinstance(message, str) else ()
    return tuple(sorted({place for place in named if place < sent}))


DESTINATION: Final = TikTok()
