"""Snap, by the events of its Conversions API v3: those of a pixel (website and offline), and those of an app.

Pages below https://developers.snap.com/api/marketing-api/Conversions-API (Introduction, UsingTheAPI, Parameters,
Deduplication) and the OpenAPI description of github.com/Snapchat/business-sdk-v3-java 1.2.1, read 2026-11-20. A refusal
names one event at most, and it is not said what became of the others: they go again under their ids. Not published, so
ours: how large a request may be (2 MB), how many there may be, and for how long an event is known again.
"""

from __future__ import annotations

import re
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

_SOURCES: Final = MappingProxyType({"website": "WEB", "app": "MOBILE_APP"})
_HASHED: Final = MappingProxyType(
    {
        "fn": "first_name_sha256",
        "ln": "last_name_sha256",
        "ge": "gender_sha256",
        "ct": "city_sha256",
        "st": "region_sha256",
        "zp": "postal_code_sha256",
        "country": "country_sha256",
    }
)
_LDU_CALIFORNIA: Final = 1000
_CODE: Final = re.compile(r"[A-Z0-9_]{1,64}", re.ASCII)
# Some wrong tokens are told of under the status of bad events: github.com/segment-boneyard/segment-docs/pull/5173,
# read 2026-11-20.
_ABOUT_TOKEN: Final = re.compile(r"access[ _-]?token|unauthori[sz]ed|oauth", re.IGNORECASE | re.ASCII)
# Snap publishes no list of codes: these are the words of its answers, and statuses.
RULES: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "INVALID": (
            Verdict.REFUSED,
            "Snap finds an event invalid: compare `uploader plan --show 1` with its documents",
        ),
        "UNAUTHORIZED": (Verdict.BLOCKED, "Snap does not take the access token: create a new one in Business Manager"),
        "http_401": (Verdict.BLOCKED, "Snap does not take the access token: create a new one in Business Manager"),
        "http_403": (Verdict.BLOCKED, "the access token is not for this pixel or app"),
    }
)


class Snap(Destination):
    """Snap, by the events of a pixel and of an app."""

    name: ClassVar[str] = "snap"
    base_url: ClassVar[str] = "https://tr.snapchat.com"
    hosts: ClassVar[tuple[str, ...]] = ("tr.snapchat.com",)
    api_version: ClassVar[str] = "v3"
    dataset_example: ClassVar[str] = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
    token_env: ClassVar[str] = "SNAP_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    # Older texts have 48 hours, and 30 days for orders: not for v3, and between pixel and server only.
    windows: ClassVar[Windows] = Windows(dedup=None)
    limits: ClassVar[Limits] = Limits(events=2000, bytes=2_000_000)
    # A person leaves contact data, or registers: Snap has one name for both.
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "Purchase": "PURCHASE",
            "Lead": "SIGN_UP",
            "CompleteRegistration": "SIGN_UP",
            "AddToCart": "ADD_CART",
            "InitiateCheckout": "START_CHECKOUT",
            "AddPaymentInfo": "ADD_BILLING",
            "AddToWishlist": "ADD_TO_WISHLIST",
            "Subscribe": "SUBSCRIBE",
            "StartTrial": "START_TRIAL",
            "ViewContent": "VIEW_CONTENT",
            "PageView": "PAGE_VIEW",
            "Search": "SEARCH",
        }
    )
    options: ClassVar[Mapping[str, Option]] = MappingProxyType(
        {
            "site_url": Option(
                "the shop's address, for events of the website whose page is not known",
                "https://shop.example.com/",
                r"https?://[!-~]{1,190}",
                is_required=True,
            ),
            "app_id": Option("the Snap App ID, for events of the app", "2e6e5c5d-6bb0-4a0c-9f0c-4f1c5f4d1c11"),
        }
    )

    def event_name(self, account: Account) -> pl.Expr:
        """See `Destination.event_name`. There are no names of one's own: Snap has five that stand for anything."""
        names = {name.lower(): theirs for name, theirs in self.event_names.items()} | dict(account.events)
        ours = pl.col("event_name").str.to_lowercase()
        return ours.replace_strict(names, default=None, return_dtype=pl.String)

    def place(self, account: Account) -> pl.Expr:
        """See `Destination.place`: the pixel, and for events of the app the app, if its id is known."""
        app = pl.lit("app" if account.option("app_id") else None, pl.String)
        placed = pl.when(pl.col("action_source") == "app").then(app).otherwise(pl.lit("pixel"))
        return pl.when(self.event_name(account).is_not_null()).then(placed)

    def missing(self, event_name: str, action_source: str) -> str:
        """See `Destination.missing`."""
        app = f"destinations.{self.name}.options.app_id ({self.options['app_id'].about})"
        if event_name.lower() in map(str.lower, self.event_names):
            return app
        name = f"destinations.{self.name}.events.{event_name} (Snap's name for this event, like CUSTOM_EVENT_1)"
        return f"{name} and {app}" if action_source == "app" else name

    def body(self, account: Account) -> Body:
        """See `Destination.body`; keys in the order of the description."""
        source = pl.col("action_source")
        page = pl.when(source == "website").then(pl.lit(account.option("site_url"), pl.String))
        return {
            "event_name": self.event_name(account),
            # In seconds: milliseconds are taken for the website, and refused for offline events.
            "event_time": pl.col("event_at").dt.epoch("s"),
            "action_source": source.replace_strict(dict(_SOURCES), default="OFFLINE", return_dtype=pl.String),
            "event_id": pl.col("event_id"),
            "event_source_url": pl.coalesce("event_source_url", page),
            **_limited_data_use(),
            "user_data": _user_data(),
            "custom_data": _custom_data(),
            "app_data": _app_data(),
        }

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:
        """See `Destination.request`. The token stands in the query, the only place that Snap describes."""
        asset = account.option("app_id") if place == "app" else account.dataset_id
        if asset is None:
            raise ConfigurationError(f"options.app_id is missing: {self.options['app_id'].about}")
        code = account.test_event_code
        test = b',"test_event_code":' + orjson.dumps(code) if code else b""
        return Request(
            url=address(account, account.api_version, asset, "events"),
            body=b"".join((b'{"data":[', events, b"]", test, b"}")),
            headers={"Content-Type": "application/json"},
            secret_query={"access_token": Secret(printable_token(account))},
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: VALID or INVALID, in one of two forms."""
        answer = json_object(response.body)
        status, errors = answer.get("status"), answer.get("errors")
        if response.status == 200 and status == "VALID" and not errors:
            return Outcome(Verdict.ACCEPTED)
        if response.status in {200, 400} and status == "INVALID":
            return _refused(answer, errors if isinstance(errors, dict) else {}, sent)
        if response.status < 400:
            return unconfirmed(response)
        return outcome_by_status(response, f"http_{response.status}", RULES)


def _only_app(value: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("action_source") == "app").then(value)


def _user_data() -> Body:
    """Return who it was. Lists where the description has lists; the click id goes as it came, case untouched."""
    is_ios = pl.col("app_info").list.first() == "i2"
    return {
        "em": pl.col("email_sha256s"),
        "ph": pl.col("phone_digits_sha256s"),
        **{key: Listed(pl.col(column)) for key, column in _HASHED.items()},
        "external_id": pl.col("external_id_sha256"),
        "madid": _only_app(pl.col("madid").str.to_lowercase()),
        "idfv": _only_app(pl.when(is_ios).then(pl.col("vendor_id"))),
        "sc_click_id": pl.col("sc_cid"),
        "client_ip_address": pl.col("client_ip"),
        "client_user_agent": pl.col("user_agent"),
    }


def _custom_data() -> Body:
    """Return what it was about. An order is known by ``order_id`` too, so it goes beside the event's own id."""
    contents = Items(
        "contents",
        {"id": "id", "quantity": "quantity", "item_price": "item_price"},
        as_text=frozenset({"quantity", "item_price"}),
    )
    same = ("content_ids", "content_type", "content_name", "content_category")
    return {
        "currency": pl.col("currency"),
        "value": pl.col("value"),
        "order_id": pl.col("order_id"),
        **{key: pl.col(key) for key in same},
        "contents": contents,
        "num_items": pl.col("num_items"),
        "search_string": pl.col("search_string"),
        "predicted_ltv": pl.col("predicted_ltv"),
        "status": pl.col("registration_status"),
    }


def _app_data() -> Body:
    """Return what is known of app and device. A missing element of ``extinfo`` is an empty text: each has its place."""
    flags = ("advertiser_tracking_enabled", "application_tracking_enabled")
    return {
        **{key: _only_app(pl.col(key)).cast(pl.Int64) for key in flags},
        "extinfo": _only_app(pl.col("app_info")).list.eval(pl.element().fill_null("")),
    }


def _limited_data_use() -> Body:
    """Return the mark of limited use: 1 is the US, 1000 is California, and 0 lets Snap find out."""
    limited = pl.col("is_limited_data_use")
    is_us = pl.col("country_code").str.to_uppercase() == "US"
    is_california = is_us & (pl.col("region_code").str.to_uppercase() == "CA")
    return {
        "data_processing_options": Listed(pl.when(limited).then(pl.lit("LDU"))),
        "data_processing_options_country": pl.when(limited).then(is_us.fill_null(value=False).cast(pl.Int64)),
        "data_processing_options_state": pl.when(limited).then(
            pl.when(is_california).then(pl.lit(_LDU_CALIFORNIA, pl.Int64)).otherwise(pl.lit(0, pl.Int64))
        ),
    }


def _refused(answer: Mapping[str, Any], errors: Mapping[str, Any], sent: int) -> Outcome:
    """Read a refusal: the description's form has an event and errors, the one that is seen has messages alone."""
    texts = [answer.get("reason"), *_listed(answer.get("error_msgs")), *_listed(errors.get("error_msgs"))]
    event = whole_number(answer.get("event"))
    if any(isinstance(text, str) and _ABOUT_TOKEN.search(text) for text in texts):
        verdict, message = RULES["UNAUTHORIZED"]
        return Outcome(verdict, "UNAUTHORIZED", message)
    codes = [code for code in _listed(errors.get("codes")) if isinstance(code, str) and _CODE.fullmatch(code)]
    verdict, message = RULES["INVALID"]
    culprits = () if event is None or not 0 <= event < sent else (event,)
    return Outcome(verdict, codes[0] if codes else "INVALID", message, culprits=culprits)


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


DESTINATION: Final = Snap()
