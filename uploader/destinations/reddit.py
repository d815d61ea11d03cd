"""Reddit, by the events of its Conversions API v3.

https://ads-api.reddit.com/docs/v3 and its pages on migration and direct integration, as Reddit's partners follow them
(github.com/segmentio/action-destinations), and Reddit's business help on metadata, matching and deduplication; all read
2026-11-20. A request with one invalid event is refused whole. Not documented, so ours: how large a body may be (4 MB).
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from uploader.answers import json_object
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
)
from uploader.destinations.shared import address, bearer, outcome_by_status, unconfirmed

if TYPE_CHECKING:
    from collections.abc import Mapping

_CUSTOM: Final = "CUSTOM"
_SOURCES: Final = MappingProxyType({"website": "WEBSITE", "app": "APP", "physical_store": "PHYSICAL_STORE"})
# Business help, "Event metadata": a conversion id and products go with every type, these with some.
_VALUED: Final = ("PURCHASE", "ADD_TO_CART", "ADD_TO_WISHLIST", "LEAD", "SIGN_UP", _CUSTOM)
_COUNTED: Final = ("PURCHASE", "ADD_TO_CART", "ADD_TO_WISHLIST", _CUSTOM)
_TYPES: Final = (*_VALUED, "VIEW_CONTENT", "PAGE_VISIT", "SEARCH")
# Longer ones are cut without a word.
_LONGEST_NAME: Final = 64
# A link whose macro was not filled in holds {{RDT_CID}}, and Reddit reports it as an invalid match key.
_BRACE: Final = r"[{}]|%7[BbDd]"
_NAMED: Final = re.compile(r"\$\.data\.events\[([0-9]{1,4})\](?:\.([A-Za-z0-9_.]{1,64}))?")
_REASON: Final = re.compile(r"[A-Z0-9_]{1,64}")
_COUNT: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+")

# Reddit's only code word, and else the status: its own code repeats that.
RULES: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "UNAUTHORIZED": (
            Verdict.BLOCKED,
            "this token may not write to this pixel (compare dataset_id), or an event has a value of a wrong type",
        ),
        "http_400": (Verdict.REFUSED, "Reddit finds an event invalid, and took none of the request"),
        "http_401": (Verdict.BLOCKED, "Reddit does not know this token: create a new one in Events Manager"),
        "http_403": (Verdict.BLOCKED, "this token may not write to this pixel, or lacks the scope adsconversions"),
        "http_404": (Verdict.BLOCKED, "there is no such pixel: check dataset_id, like a2_abc123, and api_version"),
        "http_429": (Verdict.THROTTLED, "Reddit limits how many requests and events a pixel may get"),
        "http_500": (Verdict.IN_DOUBT, "Reddit is not available"),
    }
)


class Reddit(Destination):
    """Reddit, by the events of a pixel."""

    name: ClassVar[str] = "reddit"
    base_url: ClassVar[str] = "https://ads-api.reddit.com"
    hosts: ClassVar[tuple[str, ...]] = ("ads-api.reddit.com",)
    api_version: ClassVar[str] = "v3"
    dataset_example: ClassVar[str] = "a2_abcdefgh"
    token_env: ClassVar[str] = "REDDIT_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    # "Events must be sent within two days for proper deduplication." Of equal copies the earlier one counts.
    windows: ClassVar[Windows] = Windows(dedup=timedelta(days=2), future=timedelta(minutes=5))
    limits: ClassVar[Limits] = Limits(events=1000, bytes=4_000_000)
    # 250,000 events a minute is the narrowest limit that anybody published, and full requests reach it first.
    requests_per_minute: ClassVar[float] = 250
    # Any other name goes as a custom event of that name.
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "Purchase": "PURCHASE",
            "Lead": "LEAD",
            "AddToCart": "ADD_TO_CART",
            "AddToWishlist": "ADD_TO_WISHLIST",
            "CompleteRegistration": "SIGN_UP",
            "ViewContent": "VIEW_CONTENT",
            "PageView": "PAGE_VISIT",
            "Search": "SEARCH",
        }
    )

    def body(self, account: Account) -> Body:
        """See `Destination.body`."""
        theirs = self.event_name(account)
        is_own = ~theirs.is_in(_TYPES)
        tracking = pl.when(is_own).then(pl.lit(_CUSTOM)).otherwise(theirs)
        own_name = pl.when(is_own).then(theirs).when(theirs == _CUSTOM).then(pl.col("event_name"))
        source = pl.col("action_source")
        return {
            "event_at": pl.col("event_at").dt.epoch("ms"),
            "action_source": source.replace_strict(dict(_SOURCES), default="OTHER", return_dtype=pl.String),
            "event_source_url": pl.col("event_source_url"),
            # "Offline events" are to come without device ids and click ids.
            "click_id": pl.when((source != "physical_store") & ~pl.col("rdt_cid").str.contains(_BRACE)).then(
                pl.col("rdt_cid")
            ),
            "type": {"tracking_type": tracking, "custom_event_name": own_name.str.slice(0, _LONGEST_NAME)},
            "metadata": _metadata(tracking),
            "user": _user(),
        }

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:  # noqa: ARG002
        """See `Destination.request`. The id of a test goes with the request, and its events are shown, not counted."""
        code = account.test_event_code
        test = b',"test_id":' + json.dumps(code).encode() if code else b""
        return Request(
            url=address(account, "api", account.api_version, "pixels", account.dataset_id, "conversion_events"),
            body=b"".join((b'{"data":{"events":[', events, b"]", test, b"}}")),
            headers={"Content-Type": "application/json"},
            secret_headers=bearer(account),
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`: all or nothing, and a success counts the events only in its text."""
        answer = json_object(response.body)
        if response.status < 400:
            is_confirmed = 200 <= response.status < 300 and _processed(answer) == sent
            return Outcome(Verdict.ACCEPTED) if is_confirmed else unconfirmed(response)
        error = answer.get("error")
        told = error if isinstance(error, dict) else {}
        if response.status == 400:
            named = _named(told.get("fields"), sent)
            code = next((field for field in named.values() if field), "http_400")
            return outcome_by_status(response, code, {code: RULES["http_400"]}, tuple(named))
        reason = told.get("reason")
        is_word = response.status in {401, 403} and isinstance(reason, str) and _REASON.fullmatch(reason)
        return outcome_by_status(response, str(reason) if is_word else f"http_{response.status}", RULES)


def _metadata(tracking: pl.Expr) -> Body:
    """Declare what an event is worth; value and currency go together or not at all."""
    has_value = tracking.is_in(_VALUED) & pl.col("value").is_not_null() & pl.col("currency").is_not_null()
    return {
        "conversion_id": pl.col("event_id"),
        "currency": pl.when(has_value).then(pl.col("currency")),
        "value": pl.when(has_value).then(pl.col("value")),
        "item_count": pl.when(tracking.is_in(_COUNTED)).then(pl.col("num_items")),
        "products": Items(
            "contents",
            {"id": "id", "name": "title", "category": "category", "quantity": "quantity", "item_price": "item_price"},
        ),
    }


def _user() -> Body:
    """Declare whose event it is: hashed what may be hashed, except for what Reddit sees by itself."""
    system = pl.col("app_info").list.first()
    limited = pl.col("is_limited_data_use")
    country = pl.col("country_code").str.to_uppercase()
    return {
        "email": pl.col("email_reddit_sha256"),
        "phone_number": pl.col("phone_e164_sha256"),
        "external_id": pl.col("external_id_sha256"),
        "ip_address": pl.col("client_ip"),
        "user_agent": pl.col("user_agent"),
        "idfa": pl.when(system == "i2").then(pl.col("madid").str.to_uppercase()),
        "aaid": pl.when(system == "a2").then(pl.col("madid").str.to_lowercase()),
        "data_processing_options": {
            "modes": Listed(pl.when(limited).then(pl.lit("LDU"))),
            "country": pl.when(limited).then(country),
            "region": pl.when(limited).then(country + "-" + pl.col("region_code").str.to_uppercase()),
        },
    }


def _processed(answer: Mapping[str, Any]) -> int | None:
    """Return how many events a success speaks of: the one number in its text; None where it tells of bad ones, too."""
    data = answer.get("data")
    if not isinstance(data, dict) or data.get("invalid_events") or answer.get("invalid_events"):
        return None
    message = data.get("message")
    numbers = _COUNT.findall(message) if isinstance(message, str) and len(message) < 1000 else []
    return int(numbers[0].replace(",", "")) if len(numbers) == 1 and len(numbers[0]) <= 10 else None


def _named(fields: Any, sent: int) -> dict[int, str]:
    """Return the events that an error names, by their position, each with the first field that it names there."""
    found: dict[int, str] = {}
    for entry in fields if isinstance(fields, list) else ():
        path = entry.get("field") if isinstance(entry, dict) else None
        named = _NAMED.match(path) if isinstance(path, str) else None
        if named and int(named[1]) < sent:
            found.setdefault(int(named[1]), named[2] or "")
    return dict(sorted(found.items()))


DESTINATION: Final = Reddit()
