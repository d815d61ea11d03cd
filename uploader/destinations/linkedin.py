"""LinkedIn, by its Conversions API: events of conversion rules, many in one request.

https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversions-api, version 202609, and the
answers that public integrations have seen of it (github.com/rudderlabs/rudder-transformer, linkedin_ads), read
2026-11-20. One invalid event refuses the whole request; the answer names it by its position. Not documented, so ours:
how large a body (4 MB), how far ahead an event may lie, for how long LinkedIn knows an event again that came from here
(it documents that for the Insight Tag's copy only).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from uploader.answers import json_object, whole_number
from uploader.destinations.interface import (
    Account,
    Body,
    Destination,
    Limits,
    Objects,
    Outcome,
    Request,
    Response,
    Verdict,
    Windows,
    decimal_text,
)
from uploader.destinations.shared import address, bearer, outcome_by_status, unconfirmed
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_RULE: Final = "urn:lla:llaPartnerConversion:"
_IDS: Final = MappingProxyType({"SHA256_EMAIL": "email_sha256", "LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID": "li_fat_id"})
_RULE_ID: Final = re.compile(r"[0-9]{1,20}")
_VERSION: Final = re.compile(r"20[0-9]{2}(0[1-9]|1[0-2])")
_CODE: Final = re.compile(r"[A-Z0-9_]{1,64}")
# How the two known answers name events: "Index: 0, ERROR :: /user/userInfo :: …", and "…, indices [0] (0-indexed)".
_INDEX: Final = re.compile(r"Index: ([0-9]{1,9}), ERROR ::")
_INDICES: Final = re.compile(r"indices \[([0-9, ]{1,65536})\]")
_OTHER_METHOD: Final = "method should be CONVERSIONS_API"

_NEW_TOKEN: Final = "the access token is invalid or has expired: create a new one in Campaign Manager"  # noqa: S105
_REVOKED: Final = "the access token was revoked: let its owner give access again"
_SUNSET: Final = "LinkedIn has ended this version of its API: set a newer api_version"
_NOT_THAT_RULE: Final = (
    "a conversion rule in destinations.linkedin.events is not made for the Conversions API: name one that is"
)
# "code" or "serviceErrorCode" of an error.
RULES: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "INVALID_ACCESS_TOKEN": (Verdict.BLOCKED, _NEW_TOKEN),
        "65600": (Verdict.BLOCKED, _NEW_TOKEN),
        "REVOKED_ACCESS_TOKEN": (Verdict.BLOCKED, _REVOKED),
        "65601": (Verdict.BLOCKED, _REVOKED),
        "NONEXISTENT_VERSION": (Verdict.BLOCKED, _SUNSET),
    }
)
# Statuses whose meaning here is not the usual one, or is known more closely.
STATUSES: Final[Mapping[int, tuple[Verdict, str]]] = MappingProxyType(
    {
        403: (Verdict.BLOCKED, "the token has no role at the ad account, or may not write to a conversion rule"),
        423: (Verdict.IN_DOUBT, "LinkedIn was busy with the same thing"),
        426: (Verdict.BLOCKED, _SUNSET),
        429: (Verdict.THROTTLED, "LinkedIn takes 600 requests a minute, and so many a day, for a token's owner"),
    }
)
_NOT_JUDGED: Final = frozenset({401, 408, 423, 429})
"""Statuses of one event in a success that say nothing about that event."""


class LinkedIn(Destination):
    """LinkedIn, by the conversion rules of an ad account."""

    name: ClassVar[str] = "linkedin"
    base_url: ClassVar[str] = "https://api.linkedin.com"
    hosts: ClassVar[tuple[str, ...]] = ("api.linkedin.com",)
    api_version: ClassVar[str] = "202609"
    dataset_example: ClassVar[str] = "512345678"
    token_env: ClassVar[str] = "LINKEDIN_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    windows: ClassVar[Windows] = Windows(dedup=None)
    limits: ClassVar[Limits] = Limits(events=5000, bytes=4_000_000)
    requests_per_minute: ClassVar[float] = 600
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType({})
    has_test_mode: ClassVar[bool] = False
    needs_event_ids: ClassVar[bool] = True
    event_id_example: ClassVar[str] = "104012"

    def body(self, account: Account) -> Body:
        """See `Destination.body`. An amount and its currency go together or not at all; ``userIds`` must be there."""
        has_amount = pl.col("value").is_not_null() & pl.col("currency").is_not_null()
        return {
            "conversion": pl.lit(_RULE) + self.event_name(account),
            "conversionHappenedAt": pl.col("event_at").dt.epoch("ms"),
            "conversionValue": {
                "currencyCode": pl.when(has_amount).then(pl.col("currency")),
                "amount": pl.when(has_amount).then(decimal_text(pl.col("value"))),
            },
            "user": {"userIds": Objects(tuple(_user_id(kind, column) for kind, column in _IDS.items()), is_kept=True)},
            "eventId": pl.col("event_id"),
        }

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:  # noqa: ARG002
        """See `Destination.request`. The ad account is not in it: the conversion rules belong to one."""
        if not _VERSION.fullmatch(account.api_version):
            raise ConfigurationError(f"api_version is a year and a month, like {self.api_version}")
        if wrong := sorted(name for name, rule in account.events.items() if not _RULE_ID.fullmatch(rule)):
            raise ConfigurationError(
                f"events.{wrong[0]} is the number of a conversion rule, like {self.event_id_example}"
            )
        return Request(
            url=address(account, "rest", "conversionEvents"),
            body=b"".join((b'{"elements":[', events, b"]}")),
            headers={
                "Content-Type": "application/json",
                "LinkedIn-Version": account.api_version,
                "X-Restli-Protocol-Version": "2.0.0",
                "X-RestLi-Method": "BATCH_CREATE",
            },
            secret_headers=bearer(account),
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: a success tells of each event, a refusal may name the events to blame."""
        answer = json_object(response.body)
        if response.status < 400:
            statuses = _statuses(answer.get("elements"), sent) if response.status == 200 else None
            return unconfirmed(response) if statuses is None else _outcome(response, statuses)
        message = answer.get("message")
        text = message if isinstance(message, str) else ""
        code = _code(answer) or f"http_{response.status}"
        if response.status == 400 and _OTHER_METHOD in text:
            return Outcome(Verdict.BLOCKED, code, _NOT_THAT_RULE)
        rules = RULES
        if code not in RULES and response.status in STATUSES:
            rules = {code: STATUSES[response.status]}
        return outcome_by_status(response, code, rules, _named(text, sent))


def _user_id(kind: str, column: str) -> Body:
    return {"idType": pl.when(pl.col(column).is_not_null()).then(pl.lit(kind)), "idValue": pl.col(column)}


def _code(answer: Mapping[str, Any]) -> str | None:
    """Return an error's code, as a word or else as a number."""
    word, number = answer.get("code"), whole_number(answer.get("serviceErrorCode"))
    if isinstance(word, str) and _CODE.fullmatch(word):
        return word
    return None if number is None else str(number)


def _named(text: str, sent: int) -> tuple[int, ...]:
    """Return the positions that an answer's text names."""
    named = _INDEX.findall(text)
    for listed in _INDICES.findall(text):
        named += re.findall("[0-9]{1,9}", listed)
    return tuple(sorted({int(index) for index in named if int(index) < sent}))


def _statuses(elements: Any, sent: int) -> list[int] | None:
    """Return each event's status; None unless all are told of, and each was either taken or judged."""
    if not isinstance(elements, list) or len(elements) != sent:
        return None
    found = [whole_number(element.get("status")) if isinstance(element, dict) else None for element in elements]
    statuses = [status for status in found if status is not None]
    if len(statuses) != sent or not all(status == 201 or 400 <= status < 500 for status in statuses):
        return None
    return statuses


def _outcome(response: Response, statuses: list[int]) -> Outcome:
    """Say what a success with a status for each event means."""
    refused = {place: f"http_{status}" for place, status in enumerate(statuses) if status != 201}
    if not refused:
        return Outcome(Verdict.ACCEPTED)
    code = next(iter(refused.values()))
    if len(refused) == len(statuses) and set(statuses) <= {401, 403}:
        return Outcome(Verdict.BLOCKED, code, STATUSES[403][1])
    if _NOT_JUDGED & set(statuses):
        return unconfirmed(response)
    message = "LinkedIn did not take it: compare `uploader plan --show 1` with its documents"
    if len(refused) == len(statuses):
        return Outcome(Verdict.REFUSED, code, message, culprits=tuple(refused))
    return Outcome(Verdict.PARTIAL, code, message, refused=refused)


DESTINATION: Final = LinkedIn()
