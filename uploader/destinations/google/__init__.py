"""Google Ads, by the events of its Data Manager API v1.

    answers       what an answer means, and what is said later of a request

https://developers.google.com/data-manager/api: the reference of events.ingest and the pages on sending, formatting,
limits, errors and upgrades, with the message definitions of google-ads-datamanager 0.9.4; read 2026-11-20. A field that
it finds wrong refuses the whole request, and is named by its place. What it takes is not processed yet: what it finds
later is told in counts only, per request, and asked for after half an hour. Not published, so ours: how large a body
may be (4 MB), and for how long a transaction is known again (a resend stays within a quarter of an hour).
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote

import polars as pl

from uploader.destinations.google import answers
from uploader.destinations.interface import (
    Account,
    Auth,
    Body,
    Destination,
    Items,
    Limits,
    Objects,
    Option,
    Outcome,
    Request,
    Response,
    Result,
    Results,
    Windows,
)
from uploader.destinations.shared import address
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS: Final = r"[0-9]{1,20}"
_SOURCES: Final = MappingProxyType(
    {
        "website": "WEB",
        "app": "APP",
        "physical_store": "IN_STORE",
        "phone_call": "PHONE",
        "chat": "MESSAGE",
        "business_messaging": "MESSAGE",
    }
)
_CUSTOMERS: Final = MappingProxyType({"new_customer_to_business": "NEW", "existing_customer_to_business": "RETURNING"})
_MERCHANT: Final = MappingProxyType(
    {
        "merchantId": "merchant_id",
        "merchantFeedLabel": "merchant_feed_label",
        "merchantFeedLanguageCode": "merchant_feed_language",
    }
)


class Diagnostics(Results):
    """What Google found in the events of a request: from half an hour after it, and for 50 days."""

    after: ClassVar[timedelta] = timedelta(minutes=30)

    def request(self, account: Account, trace_id: str) -> Request:
        """See `Results.request`."""
        return Request(
            url=f"{address(account, account.api_version, 'requestStatus:retrieve')}?requestId={quote(trace_id)}",
            body=b"",
            headers=_project(account),
        )

    def read(self, response: Response) -> Result | None:
        """See `Results.read`."""
        return answers.result_of(response)


class Google(Destination):
    """Google Ads, by the conversion actions of an account."""

    name: ClassVar[str] = "google"
    base_url: ClassVar[str] = "https://datamanager.googleapis.com"
    hosts: ClassVar[tuple[str, ...]] = ("datamanager.googleapis.com",)
    api_version: ClassVar[str] = "v1"
    dataset_example: ClassVar[str] = "2345678901"
    token_env: ClassVar[str] = "GOOGLE_CREDENTIALS"  # noqa: S105 - the name of a variable
    auth: ClassVar[Auth] = Auth.OAUTH2
    auth_hosts: ClassVar[tuple[str, ...]] = ("oauth2.googleapis.com",)
    auth_scope: ClassVar[str] = "https://www.googleapis.com/auth/datamanager"
    # A second event with a transaction that it knows changes the value of the first.
    windows: ClassVar[Windows] = Windows(dedup=None, first_wins=False)
    limits: ClassVar[Limits] = Limits(events=2000, bytes=4_000_000)
    requests_per_minute: ClassVar[float] = 300
    results: ClassVar[Results | None] = Diagnostics()
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType({})
    needs_event_ids: ClassVar[bool] = True
    event_id_example: ClassVar[str] = "123456789"
    options: ClassVar[Mapping[str, Option]] = MappingProxyType(
        {
            "login_account": Option(
                "the account in which the credentials are a user, if that is a manager", "1112223333", _DIGITS
            ),
            "account_type": Option("the kind of account", "GOOGLE_ADS", r"[A-Z][A-Z_]{2,49}", default="GOOGLE_ADS"),
            "quota_project": Option(
                "the project that requests are counted for, with a user's credentials",
                "my-project-123",
                r"[a-z0-9][a-z0-9.:-]{1,99}",
            ),
            "merchant_id": Option("the Merchant Center account of the products", "5550001", _DIGITS),
            "merchant_feed_label": Option("the label of their feed", "DE", r"[A-Z0-9_-]{1,20}"),
            "merchant_feed_language": Option("the language of their feed", "de", r"[a-z]{2}"),
        }
    )

    def body(self, account: Account) -> Body:
        """See `Destination.body`."""
        return {
            # It may be the shop's own number of an order: the tag sends that, and Google brings the two together.
            "transactionId": pl.coalesce("order_id", "event_id"),
            "eventTimestamp": pl.col("event_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"),
            "userData": {
                "userIdentifiers": Objects(
                    (
                        {"emailAddress": pl.col("email_gmail_sha256")},
                        {"phoneNumber": pl.col("phone_e164_sha256")},
                    )
                )
            },
            "consent": {"adUserData": _granted(), "adPersonalization": _granted()},
            "adIdentifiers": _click_id(),
            "currency": pl.col("currency"),
            "conversionValue": pl.col("value"),
            # Said to be optional; requests without it were refused as REQUIRED_FIELD_MISSING.
            "eventSource": pl.col("action_source").replace_strict(
                dict(_SOURCES), default="OTHER", return_dtype=pl.String
            ),
            "eventDeviceInfo": {"userAgent": pl.col("user_agent"), "ipAddress": pl.col("client_ip")},
            "userProperties": {
                "customerType": pl.col("customer_segmentation").replace_strict(
                    dict(_CUSTOMERS), default=None, return_dtype=pl.String
                )
            },
            "cartData": _cart(account),
        }

    def place(self, account: Account) -> pl.Expr:
        """Return the conversion action of each event: it stands once in a request, beside the events."""
        action = self.event_name(account)
        return pl.when(action.str.contains(f"^{_DIGITS}$")).then(action)

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:
        """See `Destination.request`. A rehearsal is checked like any other and counted nowhere."""
        if not re.fullmatch(_DIGITS, account.dataset_id):
            raise ConfigurationError("dataset_id is the number of the Google Ads account, without hyphens")
        kind, login = account.option("account_type") or "GOOGLE_ADS", account.option("login_account")
        around = {
            "destinations": [
                {
                    "operatingAccount": {"accountType": kind, "accountId": account.dataset_id},
                    **({"loginAccount": {"accountType": kind, "accountId": login}} if login else {}),
                    "productDestinationId": place,
                }
            ],
            "encoding": "HEX",
            **({"validateOnly": True} if account.test_event_code else {}),
        }
        start = json.dumps(around, separators=(",", ":")).encode()[:-1]
        return Request(
            url=address(account, account.api_version, "events:ingest"),
            body=b"".join((start, b',"events":[', events, b"]}")),
            headers={"Content-Type": "application/json"} | _project(account),
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: with its id, a request was received whole; else nothing of it was."""
        return answers.outcome_of(response, sent)


def _project(account: Account) -> dict[str, str]:
    """Return the header that names who pays for a request, where that is not the credentials' own project."""
    project = account.option("quota_project")
    return {"x-goog-user-project": project} if project else {}


def _click_id() -> Body:
    """Return the one click id that counts: gclid before gbraid before wbraid, never two."""
    gclid, gbraid = pl.col("gclid"), pl.col("gbraid")
    return {
        "gclid": gclid,
        "gbraid": pl.when(gclid.is_null()).then(gbraid),
        "wbraid": pl.when(gclid.is_null() & gbraid.is_null()).then(pl.col("wbraid")),
    }


def _cart(account: Account) -> Body:
    """Return the lines; not beside a gbraid or wbraid, where Google would ignore them, with a warning."""
    is_braided = pl.col("gclid").is_null() & pl.coalesce("gbraid", "wbraid").is_not_null()
    has_lines = (pl.col("contents").list.len() > 0) & ~is_braided
    return {
        **{
            key: pl.when(has_lines).then(pl.lit(account.option(option), pl.String)) for key, option in _MERCHANT.items()
        },
        "items": Items(
            "contents",
            {"merchantProductId": "id", "quantity": "quantity", "unitPrice": "item_price"},
            where=has_lines,
        ),
    }


def _granted() -> pl.Expr:
    """Say that the person agreed; nothing where nobody asked: that is no agreement."""
    both = (pl.col("consent_at_event") == "granted") & (pl.col("consent_at_as_of") == "granted")
    return pl.when(both).then(pl.lit("CONSENT_GRANTED"))


DESTINATION: Final = Google()
