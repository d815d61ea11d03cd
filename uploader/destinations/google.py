"""Google Ads, by the events of its Data Manager API v1.

https://developers.google.com/data-manager/api: the reference of events.ingest and the pages on sending, formatting,
limits, errors and upgrades, with the message definitions of google-ads-datamanager 0.9.4; read 2026-11-20. A field that
it finds wrong refuses the whole request, and is named by its place. What it takes is not processed yet: what it finds
later is told in counts only, per request. Not published, so ours: how large a body may be (4 MB), and for how long a
transaction is known again (a resend stays within a quarter of an hour).
"""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from uploader.answers import json_object
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
    Verdict,
    Windows,
)
from uploader.destinations.shared import address, outcome_by_status, unconfirmed
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DIGITS: Final = r"[0-9]{1,20}"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,99}")
_EVENT: Final = re.compile(r"(?:^|\.)events\[([0-9]{1,6})\]")
_HOURS_TO_WAIT: Final = 6
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
_ACCOUNT: Final = "Google refuses the account or the conversion action: see the page on Google for what this code means"
_EVENT_IS_BAD: Final = "Google finds a value of an event invalid: compare `uploader plan --show 1` with its documents"
_PASSING: Final = "Google has an error of its own"
_TOO_EARLY: Final = "Google takes events from six hours after the click, or after the conversion action was made"
_BLOCKED: Final = (
    *("NOT_ALLOWLISTED", "INVALID_CONVERSION_ACTION_ID", "INVALID_CONVERSION_ACTION_TYPE"),
    *("DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS", "TERMS_AND_CONDITIONS_NOT_SIGNED"),
    *("EVENT_SOURCE_AND_DESTINATION_MISMATCH", "OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER"),
)
_REFUSED: Final = (
    *("REQUIRED_FIELD_MISSING", "NO_IDENTIFIERS_PROVIDED", "EVENT_TIME_INVALID", "INVALID_SHA256_FORMAT"),
    *("INVALID_HEX_ENCODING", "INVALID_CURRENCY_CODE", "INVALID_AD_IDENTIFIER_FOR_ACCOUNT"),
    "CUSTOM_VARIABLE_VALUE_CONTAINS_PII",
)
_LATER: Final = ("TOO_RECENT_CLICK", "CONVERSION_ACTION_TOO_RECENTLY_CREATED")
RULES: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        **dict.fromkeys(_BLOCKED, (Verdict.BLOCKED, _ACCOUNT)),
        **dict.fromkeys(_REFUSED, (Verdict.REFUSED, _EVENT_IS_BAD)),
        **dict.fromkeys(_LATER, (Verdict.THROTTLED, _TOO_EARLY)),
        "TOO_MANY_EVENTS": (Verdict.TOO_BIG, "Google takes 2,000 events in a request"),
        "UNAUTHENTICATED": (Verdict.BLOCKED, "Google does not take the access token: create new credentials"),
        "PERMISSION_DENIED": (
            Verdict.BLOCKED,
            "the credentials may not write here: give them Standard access to the account, and the project the API",
        ),
        "RESOURCE_EXHAUSTED": (Verdict.THROTTLED, "Google takes 300 requests a minute and 100,000 a day of a project"),
        **dict.fromkeys(
            ("UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "ABORTED"), (Verdict.IN_DOUBT, _PASSING)
        ),
    }
)


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
        project = account.option("quota_project")
        return Request(
            url=address(account, account.api_version, "events:ingest"),
            body=b"".join((start, b',"events":[', events, b"]}")),
            headers={"Content-Type": "application/json"} | ({"x-goog-user-project": project} if project else {}),
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: with its id, a request was received whole; else nothing of it was."""
        answer = json_object(response.body)
        if response.status < 400:
            request_id = answer.get("requestId")
            if response.status == 200 and isinstance(request_id, str) and _REQUEST_ID.fullmatch(request_id):
                return Outcome(Verdict.ACCEPTED, trace_id=request_id)
            return unconfirmed(response)
        error = answer.get("error")
        told: Mapping[str, Any] = error if isinstance(error, dict) else {}
        details = [part for part in _listed(told.get("details")) if isinstance(part, dict)]
        found = list(_violations(details, sent)) if response.status == 400 else []
        if found:
            return _judged(found)
        words = [_word(part.get("reason")) for part in details] + [_word(told.get("status"))]
        return _by_word(response, [word for word in words if word])


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


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None


def _violations(details: list[dict[str, Any]], sent: int) -> Iterator[tuple[str | None, Verdict, str, int | None]]:
    """Yield what is wrong: code, class, our text, and the position of the event in which it is."""
    for violation in (found for part in details for found in _listed(part.get("fieldViolations"))):
        if not isinstance(violation, dict):
            continue
        code, field = _word(violation.get("reason")), violation.get("field")
        verdict, message = RULES.get(code or "", (Verdict.REFUSED, _EVENT_IS_BAD))
        path = field if isinstance(field, str) else ""
        named = _EVENT.search(path)
        place = int(named[1]) if named and int(named[1]) < sent else None
        if verdict is Verdict.REFUSED and place is None and "destinations[" in path:
            verdict, message = Verdict.BLOCKED, _ACCOUNT
        yield code, verdict, message, place


def _judged(found: list[tuple[str | None, Verdict, str, int | None]]) -> Outcome:
    """Judge by the worst: what a person must mend, then the size, then bad events, and last what only takes time."""
    order = (Verdict.BLOCKED, Verdict.TOO_BIG, Verdict.REFUSED, Verdict.THROTTLED, Verdict.IN_DOUBT)
    code, verdict, message, _ = min(found, key=lambda each: order.index(each[1]))
    bad = sorted({place for _, kind, _, place in found if kind is Verdict.REFUSED and place is not None})
    return Outcome(
        verdict,
        code or "http_400",
        message,
        _HOURS_TO_WAIT * 3600 if verdict is Verdict.THROTTLED else None,
        tuple(bad) if verdict is Verdict.REFUSED else (),
    )


def _by_word(response: Response, words: list[str]) -> Outcome:
    """Judge an error that names no field, by the first of its words that is known."""
    code = words[0] if words else None
    rule = next((RULES[word] for word in words if word in RULES), None)
    if rule is None or (response.status >= 500 and rule[0] is not Verdict.IN_DOUBT):
        return outcome_by_status(response, code)
    outcome = outcome_by_status(response, code, {code or "": rule})
    if rule[1] == _TOO_EARLY:
        return Outcome(outcome.verdict, code, outcome.message, _HOURS_TO_WAIT * 3600)
    return outcome


DESTINATION: Final = Google()
