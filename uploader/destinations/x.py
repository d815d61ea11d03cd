"""X, by the web conversions of its Ads API v12.

https://docs.x.com/x-ads-api/measurement/web-conversions, and the reference of the same endpoint as it stood in
github.com/xdevplatform/docs on 2026-01-16, read 2026-11-20. One invalid conversion refuses the whole request, and the
answer does not say which. Not documented, so ours: how large a body (4 MB), how old an event may be (90 days, as far as
attribution reaches) and how far ahead, for how long X knows an event again that came from here (48 hours are documented
for the pixel's copy).
"""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from uploader.answers import capped, http_date, json_object, whole_number
from uploader.destinations.interface import (
    Account,
    Auth,
    Body,
    Destination,
    Items,
    Limits,
    Objects,
    Outcome,
    Request,
    Response,
    Verdict,
    Windows,
)
from uploader.destinations.shared import address, outcome_by_status, unconfirmed
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_EVENT_ID: Final = re.compile(r"(tw-[a-z0-9]{1,20}-)?[a-z0-9]{1,20}")
_PIXEL_ID: Final = re.compile(r"[a-z0-9]{1,20}")
_VERSION: Final = re.compile(r"[0-9]{1,3}")
_CODE: Final = re.compile(r"[A-Z0-9_]{1,64}")
_DEBUG_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_TIME: Final = "%Y-%m-%dT%H:%M:%S%.3fZ"
# What X's texts say where its code does not: the id of an event, which is a setting, and the size of a request.
_WRONG_EVENT_ID: Final = "is not a single event tag"
_TOO_MANY: Final = "Conversion count limit"

_BUSY: Final = "X is not available, or has an error of its own"
_RATE: Final = "X takes 60,000 events of an account in 15 minutes"
# "code" of an error.
RULES: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "INVALID_PARAMETER": (Verdict.REFUSED, "X finds something in a conversion invalid, and does not say in which"),
        "UNAUTHORIZED_ACCESS": (
            Verdict.BLOCKED,
            "X does not take the signature: check the four keys in the credentials, and this machine's clock",
        ),
        "UNAUTHORIZED_CLIENT_APPLICATION": (Verdict.BLOCKED, "the app has no access to the Ads API: apply for it"),
        "NOT_FOUND": (
            Verdict.BLOCKED,
            "X finds no such pixel or event in an account of this user: check dataset_id, and the ids in events",
        ),
        "TOO_MANY_REQUESTS": (Verdict.THROTTLED, _RATE),
        "LOCK_ACQUISITION_TIMEOUT": (Verdict.IN_DOUBT, _BUSY),
        "INTERNAL_ERROR": (Verdict.IN_DOUBT, _BUSY),
        "OVER_CAPACITY": (Verdict.IN_DOUBT, _BUSY),
        "SERVICE_UNAVAILABLE": (Verdict.IN_DOUBT, _BUSY),
    }
)
# Statuses that mean here what they usually do not.
STATUSES: Final[Mapping[int, tuple[Verdict, str]]] = MappingProxyType({423: (Verdict.IN_DOUBT, _BUSY)})


class X(Destination):
    """X, by the events of a pixel."""

    name: ClassVar[str] = "x"
    base_url: ClassVar[str] = "https://ads-api.x.com"
    hosts: ClassVar[tuple[str, ...]] = ("ads-api.x.com",)
    api_version: ClassVar[str] = "12"
    dataset_example: ClassVar[str] = "o8z6j"
    token_env: ClassVar[str] = "X_CREDENTIALS"  # noqa: S105 - the name of a variable
    auth: ClassVar[Auth] = Auth.OAUTH1
    windows: ClassVar[Windows] = Windows(dedup=None)
    limits: ClassVar[Limits] = Limits(events=500, bytes=4_000_000)
    # 60,000 events, which are 120 full requests, in 15 minutes.
    requests_per_minute: ClassVar[float] = 8
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType({})
    has_test_mode: ClassVar[bool] = False
    needs_event_ids: ClassVar[bool] = True
    event_id_example: ClassVar[str] = "tw-o8z6j-o87ne"

    def body(self, account: Account) -> Body:
        """See `Destination.body`. An amount without a currency would be read as US dollars, so it stays here."""
        return {
            "conversion_time": pl.col("event_at").dt.strftime(_TIME),
            "event_id": self.event_name(account),
            "identifiers": Objects(
                (
                    {"twclid": pl.col("twclid")},
                    {"hashed_email": pl.col("email_sha256")},
                    {"hashed_phone_number": pl.col("phone_e164_sha256")},
                    _visitor(),
                )
            ),
            "number_items": pl.when(pl.col("num_items") > 0).then(pl.col("num_items")),
            "price_currency": pl.col("currency"),
            "value": pl.when(pl.col("currency").is_not_null()).then(pl.col("value")),
            "conversion_id": pl.col("event_id"),
            "contents": Items(
                "contents",
                {
                    "content_id": "id",
                    "content_name": "title",
                    "content_price": "item_price",
                    "content_type": "category",
                    "num_items": "quantity",
                },
            ),
        }

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:  # noqa: ARG002
        """See `Destination.request`. The signature is added where it is sent: a JSON body is no part of it."""
        if not _VERSION.fullmatch(account.api_version):
            raise ConfigurationError(f"api_version is a number, like {self.api_version}")
        url = address(account, account.api_version, "measurement", "conversions", account.dataset_id)
        if not _PIXEL_ID.fullmatch(account.dataset_id):
            raise ConfigurationError("dataset_id is the id of a pixel, in small letters and digits, like o8z6j")
        if wrong := sorted(name for name, tag in account.events.items() if not _EVENT_ID.fullmatch(tag)):
            raise ConfigurationError(f"events.{wrong[0]} is the id of an event tag, like {self.event_id_example}")
        return Request(
            url=url,
            body=b"".join((b'{"conversions":[', events, b"]}")),
            headers={"Content-Type": "application/json"},
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: X counts what it took, and names no event that it refuses."""
        answer = json_object(response.body)
        if response.status < 400:
            data = answer.get("data")
            told = data if isinstance(data, dict) else {}
            found = told.get("debug_id")
            trace_id = found if isinstance(found, str) and _DEBUG_ID.fullmatch(found) else None
            if response.status == 200 and whole_number(told.get("conversions_processed")) == sent:
                return Outcome(Verdict.ACCEPTED, trace_id=trace_id)
            return unconfirmed(response, trace_id)
        code, parameter, text = _error(answer)
        code = code or f"http_{response.status}"
        if response.status == 400 and (parameter == "event_id" or _WRONG_EVENT_ID in text):
            return Outcome(
                Verdict.BLOCKED, code, "an id in destinations.x.events is no single event tag of this account"
            )
        if response.status == 400 and _TOO_MANY in text:
            return Outcome(Verdict.TOO_BIG, code, "X takes 500 conversions in one request")
        outcome = outcome_by_status(response, code, _rules(response.status, code))
        if outcome.verdict is Verdict.THROTTLED and outcome.wait_s is None:
            return replace(outcome, wait_s=_until_reset_s(response.headers))
        return outcome


def _visitor() -> Body:
    """IP address and browser are one identifier together; X takes dotted IPv4 addresses only."""
    has_both = pl.col("user_agent").is_not_null() & ~pl.col("client_ip").str.contains(":", literal=True)
    return {
        "ip_address": pl.when(has_both).then(pl.col("client_ip")),
        "user_agent": pl.when(has_both).then(pl.col("user_agent")),
    }


def _error(answer: Mapping[str, Any]) -> tuple[str | None, str, str]:
    """Return code, parameter and text of the first error; of several, a code that is known goes before others."""
    errors = answer.get("errors")
    found = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    codes = [code for error in found if isinstance(code := error.get("code"), str) and _CODE.fullmatch(code)]
    code = next((code for code in codes if code in RULES), codes[0] if codes else None)
    parameter, text = ("", "") if not found else (found[0].get("parameter"), found[0].get("message"))
    return code, parameter if isinstance(parameter, str) else "", text if isinstance(text, str) else ""


def _rules(status: int, code: str) -> Mapping[str, tuple[Verdict, str]]:
    """Return what a code means in an answer of this status: after an error of X's own, nothing is certain."""
    if status >= 500:
        return {code: (Verdict.IN_DOUBT, _BUSY)}
    return {code: STATUSES[status]} if code not in RULES and status in STATUSES else RULES


def _until_reset_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until an exhausted limit begins anew, measured against the answer's own date."""
    now = http_date(headers.get("date", ""))
    limits = ("x-rate-limit", "x-account-rate-limit")
    exhausted = [limit for limit in limits if whole_number(headers.get(f"{limit}-remaining")) in {None, 0}]
    resets = [whole_number(headers.get(f"{limit}-reset")) for limit in exhausted]
    times = [reset for reset in resets if reset is not None]
    return capped(max(times) - now.timestamp()) if times and now else None


DESTINATION: Final = X()
