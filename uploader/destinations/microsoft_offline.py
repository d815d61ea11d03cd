"""Microsoft Advertising, by the import of offline conversions of its Campaign Management API v13.

https://learn.microsoft.com/en-us/advertising/campaign-management-service/applyofflineconversions and the pages of
OfflineConversion and of operation error codes, read 2026-11-20; how a request that fails as a whole is answered,
https://learn.microsoft.com/en-us/advertising/guides/handle-service-errors-exceptions, read 2026-11-29. It takes what is
up to 90 days old, for goals of the kind *offline*, which the user names. A request is judged row by row. Known again is
a conversion with the same click, goal and time; for one without a click nothing is said, so that a resend stays within
a quarter of an hour. How large a body may be is not said either (1 MB here).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from uploader.answers import json_object, whole_number
from uploader.destinations.interface import (
    Account,
    Auth,
    Body,
    Destination,
    Limits,
    Option,
    Outcome,
    Request,
    Response,
    Secret,
    Verdict,
    Windows,
)
from uploader.destinations.shared import UUID, address, outcome_by_status, unconfirmed
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_GRANT: Final = "the access was refused: sign in anew for a refresh token, and compare customer_id and dataset_id"
_GOAL: Final = "there is no such goal, or not for offline conversions: compare [destinations.microsoft_offline.events]"
_A_MINUTE_S: Final = 60.0

# By number. Those of single rows are about the row, unless every row of a request has the same one.
RULES: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "100": (Verdict.REFUSED, "Microsoft cannot read the request"),
        "105": (Verdict.BLOCKED, _GRANT),
        "106": (Verdict.BLOCKED, _GRANT),
        "109": (Verdict.BLOCKED, _GRANT),
        "117": (Verdict.THROTTLED, "Microsoft limits the rate of requests"),
        "5601": (Verdict.TOO_BIG, "more conversions in a request than Microsoft takes"),
        "5603": (Verdict.REFUSED, "the click id is empty"),
        "5604": (Verdict.REFUSED, "the click id is none of Microsoft's"),
        "5605": (Verdict.BLOCKED, _GOAL),
        "5606": (Verdict.BLOCKED, _GOAL),
        "5607": (Verdict.REFUSED, "the time is none"),
        "5608": (Verdict.REFUSED, "the time is empty"),
        "5609": (Verdict.REFUSED, "the time is not within the last 90 days, or not within the goal's window"),
        "5610": (Verdict.REFUSED, "the value is none"),
        "5611": (Verdict.REFUSED, "the currency is none that Microsoft knows"),
        "5612": (Verdict.THROTTLED, "Microsoft has an error of its own, and took nothing"),
        "5613": (Verdict.BLOCKED, "this account may not import offline conversions: ask Microsoft"),
        "5614": (Verdict.REFUSED, "the time lies in the future"),
        "5615": (Verdict.BLOCKED, "the goal takes nothing in the first two hours: send again then"),
        "5616": (Verdict.REFUSED, "the time is before the click"),
        "8004": (Verdict.REFUSED, "the e-mail is no SHA-256"),
    }
)


class MicrosoftOffline(Destination):
    """Microsoft Advertising, by offline conversions."""

    name: ClassVar[str] = "microsoft_offline"
    base_url: ClassVar[str] = "https://campaign.api.bingads.microsoft.com"
    hosts: ClassVar[tuple[str, ...]] = ("campaign.api.bingads.microsoft.com",)
    api_version: ClassVar[str] = "v13"
    dataset_example: ClassVar[str] = "1234567"
    token_env: ClassVar[str] = "MICROSOFT_ADS_CREDENTIALS"  # noqa: S105 - the name of a variable
    auth: ClassVar[Auth] = Auth.OAUTH2
    auth_hosts: ClassVar[tuple[str, ...]] = ("login.microsoftonline.com",)
    auth_scope: ClassVar[str] = "https://ads.microsoft.com/msads.manage offline_access"
    windows: ClassVar[Windows] = Windows(dedup=None)
    limits: ClassVar[Limits] = Limits(events=1000, bytes=1_000_000)
    has_test_mode: ClassVar[bool] = False
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType({})
    needs_event_ids: ClassVar[bool] = True
    event_id_example: ClassVar[str] = "Offline goal 1"
    options: ClassVar[Mapping[str, Option]] = MappingProxyType(
        {
            "customer_id": Option(
                "the id of the customer that the account belongs to", "7654321", r"[0-9]{1,20}", is_required=True
            )
        }
    )

    def body(self, account: Account) -> Body:
        """See `Destination.body`. There is no word for consent: what must not be used for advertising is held in SQL.

        The time has whole seconds and is the event's own, so that a conversion is known again.
        """
        return {
            "ConversionName": self.event_name(account),
            "ConversionTime": pl.col("event_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ConversionValue": pl.col("value"),
            "ConversionCurrencyCode": pl.when(pl.col("value").is_not_null()).then(pl.col("currency")),
            "MicrosoftClickId": pl.when(pl.col("msclkid").str.contains(UUID)).then(pl.col("msclkid")),
            "HashedEmailAddress": pl.col("email_microsoft_sha256"),
            "HashedPhoneNumber": pl.col("phone_e164_sha256"),
        }

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:  # noqa: ARG002
        """See `Destination.request`. The account is named in a header, and the developer is the second secret."""
        if not re.fullmatch(r"[0-9]{1,20}", account.dataset_id):
            raise ConfigurationError("dataset_id is the number of the account, as in the address of its pages (aid=)")
        path = ("CampaignManagement", account.api_version, "OfflineConversions", "Apply")
        return Request(
            url=address(account, *path),
            body=b"".join((b'{"OfflineConversions":[', events, b"]}")),
            headers={
                "Content-Type": "application/json",
                "CustomerAccountId": account.dataset_id,
                "CustomerId": account.option("customer_id") or "",
            },
            secret_headers={"DeveloperToken": Secret(_developer_token(account))},
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: a success lists the rows that were not taken, by their place."""
        answer = json_object(response.body)
        if response.status < 400:
            refused = _refused(answer.get("PartialErrors", ()), sent) if response.status == 200 else None
            return unconfirmed(response) if refused is None else _outcome(refused, sent)
        told = [] if response.status >= 500 else [*_listed(answer, "Errors"), *_listed(answer, "OperationErrors")]
        codes = (whole_number(error.get("Code")) for error in told if isinstance(error, dict))
        code = next((str(code) for code in codes if code is not None), None)
        outcome = outcome_by_status(response, code, RULES)
        is_busy = outcome.verdict is Verdict.THROTTLED and outcome.wait_s is None
        return Outcome(outcome.verdict, outcome.code, outcome.message, _A_MINUTE_S) if is_busy else outcome


def _developer_token(account: Account) -> str:
    """Return the developer's token, which stands beside the credentials; raise where the secret lacks it."""
    found = json_object(account.token.reveal().encode())
    if not isinstance(found.get("token_uri"), str):
        raise ConfigurationError(
            'the JSON of the credentials lacks "token_uri": Microsoft\'s, where they are exchanged'
        )
    token = found.get("developer_token")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise ConfigurationError('the JSON of the credentials lacks "developer_token", which Microsoft asks for')
    return token


def _listed(answer: Mapping[str, Any], key: str) -> list[Any]:
    found = answer.get(key)
    return found if isinstance(found, list) else []


def _refused(errors: Any, sent: int) -> dict[int, str] | None:
    """Return the rows that were not taken with their codes; None where the answer does not say it clearly."""
    found: dict[int, str] = {}
    if not isinstance(errors, list):
        return None
    for error in filter(None, errors):  # rows without an error may stand there as null
        place, code = (whole_number(error.get(key)) if isinstance(error, dict) else None for key in ("Index", "Code"))
        if place is None or code is None or not 0 <= place < sent:
            return None
        found.setdefault(place, str(code))
    return found


def _outcome(refused: Mapping[int, str], sent: int) -> Outcome:
    if not refused:
        return Outcome(Verdict.ACCEPTED)
    codes = sorted(set(refused.values()))
    verdict, message = RULES.get(codes[0], (Verdict.REFUSED, "Microsoft does not take the conversion"))
    if len(refused) < sent:
        return Outcome(Verdict.PARTIAL, codes[0], message, refused=refused)
    if len(codes) == 1 and verdict is not Verdict.REFUSED:
        return Outcome(verdict, codes[0], message, _A_MINUTE_S if verdict is Verdict.THROTTLED else None)
    return Outcome(Verdict.REFUSED, codes[0], message, culprits=tuple(sorted(refused)))


DESTINATION: Final = MicrosoftOffline()
