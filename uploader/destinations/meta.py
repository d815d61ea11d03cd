"""Meta's Conversions API: one event as Meta wants it, one request, and what an answer means.

Pages below https://developers.facebook.com/documentation/ads-commerce/conversions-api/, as of 2026-09-12:
using-the-api (endpoint, batches, answers), parameters/server-event, parameters/custom-data, and as of
2026-09-08 parameters/customer-information-parameters. Error codes: see `_RULES`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote, urlsplit

import orjson
import polars as pl

from uploader.answers import capped, json_object, retry_after_s, whole_number
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
    Secret,
    Verdict,
    Windows,
)
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# https://developers.facebook.com/docs/marketing-api/overview/data-processing-options, read 2026-09-12. The
# server-event page names California alone; this page is newer.
_LDU_STATES: Final = MappingProxyType(
    {"CA": 1000, "CO": 1001, "CT": 1002, "FL": 1003, "OR": 1004, "TX": 1005, "MT": 1006}
    | {"DE": 1007, "NE": 1008, "NH": 1009, "NJ": 1010, "MN": 1011, "MD": 1012, "RI": 1013}
)
_LDU_US: Final = 1
_LDU_GEOLOCATE: Final = 0

_GRAPH_VERSION: Final = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}")
_TRACE_ID: Final = re.compile(r"[A-Za-z0-9_+/=.-]{1,64}")
_NAMED_EVENT: Final = re.compile(r"\$\['data'\]\[([0-9]{1,6})\]")
_BLAMED_EVENT: Final = re.compile(r"(?:\['data'\]|\bdata)\[([0-9]{1,6})\]")
_HEADER_SAFE: Final = re.compile(r"[!-~]+")

# X-App-Usage tells a share of a rolling hour and no time; five minutes frees a twelfth of it. Our choice.
_APP_USAGE_WAIT_S: Final = 300.0

_THROTTLED: Final = (Verdict.THROTTLED, "Meta limits the rate of calls: wait, and send fewer requests")
_TOKEN: Final = (Verdict.BLOCKED, "the access token is invalid or has expired: create a new one")
_PERMISSION: Final = (Verdict.BLOCKED, "the token may not write: assign the dataset to the token's user")
_DATASET: Final = (Verdict.BLOCKED, "no such dataset, or not the token's: check dataset_id and its users")
_POLICY: Final = (Verdict.BLOCKED, "Meta has blocked this account for a while: look at Events Manager")
_OUTAGE: Final = (Verdict.IN_DOUBT, "Meta had an error of its own and may still have taken the events")
_INVALID: Final = (Verdict.REFUSED, "Meta finds it invalid: compare `uploader plan --show 1` with its documents")

# Graph error guide https://developers.facebook.com/docs/graph-api/guides/error-handling, Marketing API error
# reference and rate limiting https://developers.facebook.com/docs/marketing-api/error-reference, all as of
# 2026-09-12; the 28040xx subcodes are not documented and were recorded by third parties.
_RULES: Final[Mapping[tuple[int | None, int | None], tuple[Verdict, str]]] = MappingProxyType(
    {
        **{(code, None): _OUTAGE for code in (1, 2)},
        **{(code, None): _THROTTLED for code in (4, 17, 32, 341, 613, *range(80000, 80015))},
        **{(code, None): _TOKEN for code in (102, 190)},
        **{(code, None): _PERMISSION for code in (3, 10, *range(200, 300))},
        (803, None): _DATASET,
        **{(code, None): _POLICY for code in (368, 1404078, 2859015)},
        (100, 33): _DATASET,
        (100, 1404078): _POLICY,
        (100, 2859015): _POLICY,
        (100, 2804003): (Verdict.REFUSED, "the event is older than Meta accepts: send sooner"),
        (100, 2804016): (Verdict.REFUSED, "an identifier that must be hashed is not a SHA-256 hash"),
        (100, 2804030): (Verdict.REFUSED, "limited data use must be chosen for this event"),
        (100, 2804036): (Verdict.REFUSED, "a lead id is invalid or was deleted"),
        (100, 2804043): (Verdict.REFUSED, "an app event lacks the version of its operating system"),
        (100, 2804050): (Verdict.REFUSED, "the event has no identifiers, or too broad a combination of them"),
        (100, 2804066): (Verdict.REFUSED, "this event name is not allowed for messaging"),
        (100, 2804072): (Verdict.REFUSED, "the page does not belong to the messaging click id"),
        (100, 2804087): (Verdict.REFUSED, "the messaging click id is missing or invalid"),
        **{
            (100, subcode): (Verdict.REFUSED, "Meta finds a parameter of the event invalid")
            for subcode in (2804001, 2804007, 2804017, 2804019, 2804048)
        },
    }
)
"""What an error's code and subcode mean; a subcode of None stands for every subcode not named."""

# What a status means where the body has no code that we know.
_STATUSES: Final[Mapping[int, tuple[Verdict, str]]] = MappingProxyType(
    {
        401: _TOKEN,
        403: _PERMISSION,
        404: (Verdict.BLOCKED, "nothing is at this address: check base_url, api_version and dataset_id"),
        408: (Verdict.IN_DOUBT, "the request took too long to arrive"),
        413: (Verdict.TOO_BIG, "the request is larger than Meta accepts"),
        429: _THROTTLED,
    }
)


class Meta(Destination):
    """Meta, by the Conversions API's ``/events`` endpoint."""

    name: ClassVar[str] = "meta"
    base_url: ClassVar[str] = "https://graph.facebook.com"
    hosts: ClassVar[tuple[str, ...]] = ("graph.facebook.com",)
    api_version: ClassVar[str] = "v26.0"
    token_env: ClassVar[str] = "META_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    # "Deduplicate events" for the 48 hours; "Conversions API for business messaging": no deduplication at all.
    windows: ClassVar[Windows] = Windows(timedelta(hours=48), MappingProxyType({"business_messaging": timedelta()}))
    # Meta publishes 1,000 events and no limit by bytes; 8 MB is ours: six times a batch of usual orders.
    limits: ClassVar[Limits] = Limits(events=1000, bytes=8_000_000)
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType({"Purchase": "Purchase"})

    def body(self) -> Body:
        """See `Destination.body`; keys in the order of Meta's own samples."""
        limited = pl.col("is_limited_data_use")
        # Country and state go together: 0 lets Meta find out from the IP address.
        state = (
            pl.when(pl.col("country_code").str.to_uppercase() == "US")
            .then(pl.col("region_code").str.to_uppercase())
            .replace_strict(dict(_LDU_STATES), default=_LDU_GEOLOCATE, return_dtype=pl.Int64)
        )
        country = pl.when(state == _LDU_GEOLOCATE).then(_LDU_GEOLOCATE).otherwise(_LDU_US)
        return {
            "event_name": pl.col("event_name").replace(dict(self.event_names)),
            "event_time": pl.col("event_at").dt.epoch("s"),
            "event_id": pl.col("event_id"),
            "action_source": pl.col("action_source"),
            "event_source_url": pl.col("event_source_url"),
            "referrer_url": pl.col("referrer_url"),
            "user_data": _user_data(),
            "custom_data": _custom_data(),
            "data_processing_options": Listed(pl.when(limited).then(pl.lit("LDU"))),
            "data_processing_options_country": pl.when(limited).then(country),
            "data_processing_options_state": pl.when(limited).then(state),
        }

    def request(self, account: Account, events: Sequence[str]) -> Request:
        """See `Destination.request`. The token travels in a header: addresses end up in logs."""
        token = account.token.reveal()
        if not _HEADER_SAFE.fullmatch(token):
            raise ConfigurationError("the access token is empty, or holds blanks or signs that no token has")
        head, tail = _envelope(account)
        return Request(
            url=_url(account),
            body=head + ",".join(events).encode() + tail,
            headers={"Content-Type": "application/json"},
            secret_headers={"Authorization": Secret(f"Bearer {token}")},
        )

    def envelope_bytes(self, account: Account) -> int:
        """See `Destination.envelope_bytes`."""
        return sum(map(len, _envelope(account)))

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`. Codes decide: Meta's texts are in the language of the account."""
        answer = json_object(response.body)
        error = answer.get("error")
        if response.status >= 400:
            return _read_error(response, error if isinstance(error, dict) else {}, sent)
        received = answer.get("events_received")
        is_count = isinstance(received, int) and not isinstance(received, bool)
        trace_id = _trace_id(answer, response)
        if response.status == 200 and error is None and is_count and received == sent:
            return Outcome(Verdict.ACCEPTED, trace_id=trace_id)
        message = "the answer does not confirm that Meta took every event"
        wait_s = retry_after_s(response.headers)
        return Outcome(Verdict.IN_DOUBT, f"http_{response.status}", message, wait_s, trace_id=trace_id)


def _user_data() -> Body:
    """Hashed keys go as lists, as Meta's own SDK sends them; the others are scalars and go in clear."""
    hashed = {
        "em": "email_sha256",
        "ph": "phone_digits_sha256",
        "fn": "first_name_sha256",
        "ln": "last_name_sha256",
        "db": "date_of_birth_sha256",
        "ge": "gender_sha256",
        "ct": "city_sha256",
        "st": "region_sha256",
        "zp": "postal_code_sha256",
        "country": "country_sha256",
        "external_id": "external_id_sha256",
    }
    clear = {"client_ip_address": "client_ip", "client_user_agent": "user_agent", "fbc": "fbc", "fbp": "fbp"}
    return {
        **{key: Listed(pl.col(column)) for key, column in hashed.items()},
        **{key: pl.col(column) for key, column in clear.items()},
    }


def _custom_data() -> Body:
    """``num_items`` is documented with InitiateCheckout only; unknown keys are allowed here."""
    return {
        "value": pl.col("value"),
        "currency": pl.col("currency"),
        "order_id": pl.col("order_id"),
        "contents": Items("contents", {key: key for key in ("id", "quantity", "item_price", "title", "category")}),
        "content_ids": pl.col("content_ids"),
        "content_type": pl.col("content_type"),
        "num_items": pl.col("num_items"),
    }


def _envelope(account: Account) -> tuple[bytes, bytes]:
    code = account.test_event_code
    return b'{"data":[', b"]" + (b',"test_event_code":' + orjson.dumps(code) if code else b"") + b"}"


def _url(account: Account) -> str:
    try:
        base = urlsplit(account.base_url)
        plain = base.hostname and base.scheme in {"http", "https"} and "@" not in base.netloc
    except ValueError:
        plain = None
    if not plain or re.search(r"[?#\s]", account.base_url):
        raise ConfigurationError("base_url is scheme, host and path only, like https://graph.facebook.com")
    if not _GRAPH_VERSION.fullmatch(account.api_version):
        raise ConfigurationError(f"api_version is a version like v26.0, not {account.api_version!r}")
    dataset = quote(account.dataset_id, safe="")
    if not dataset.strip("."):
        raise ConfigurationError("dataset_id is missing: Events Manager shows it beside the dataset's name")
    return f"{account.base_url.rstrip('/')}/{account.api_version}/{dataset}/events"


def _read_error(response: Response, error: Mapping[str, Any], sent: int) -> Outcome:
    code, subcode = whole_number(error.get("code")), whole_number(error.get("error_subcode"))
    verdict, message = _classify(response, code, subcode, is_transient=error.get("is_transient") is True)
    usage = (_business_wait_s, _app_wait_s) if verdict is Verdict.THROTTLED else ()
    waits = [read(response.headers) for read in (retry_after_s, *usage)]
    wait_s = max((wait for wait in waits if wait is not None), default=None)
    named = f"{code}/{subcode}" if subcode else f"{code}"
    return Outcome(
        verdict,
        named if code is not None else f"http_{response.status}",
        message,
        wait_s if verdict in {Verdict.THROTTLED, Verdict.IN_DOUBT} else None,
        _culprits(error, sent) if verdict is Verdict.REFUSED else (),
        _trace_id(error, response),
    )


def _classify(response: Response, code: int | None, subcode: int | None, *, is_transient: bool) -> tuple[Verdict, str]:
    """Read the code first, then the status; what neither explains is laid to the events."""
    rule = _RULES.get((code, subcode)) or _RULES.get((code, None))
    if response.status >= 500:
        if response.status == 503 and code is None and "retry-after" in response.headers:
            return _THROTTLED
        return rule if rule and rule[0] is Verdict.THROTTLED else _OUTAGE
    if rule:
        return rule
    if is_transient and response.status not in {413, 429}:
        return _OUTAGE
    return _STATUSES.get(response.status, _INVALID)


def _culprits(error: Mapping[str, Any], sent: int) -> tuple[int, ...]:
    """Read the positions that an error names, from paths like ``$['data'][3]``: they are the same in every language."""
    data, message = error.get("error_data"), error.get("message")
    if isinstance(data, str):
        data = json_object(data)
    specs = data.get("blame_field_specs") if isinstance(data, dict) else None
    lists = [spec if isinstance(spec, list) else [spec] for spec in specs] if isinstance(specs, list) else []
    paths = " ".join(path for spec in lists for path in spec if isinstance(path, str))
    found = _BLAMED_EVENT.findall(paths)
    if not found and isinstance(message, str):
        found = _NAMED_EVENT.findall(message)
    return tuple(sorted({int(position) for position in found if int(position) < sent}))


def _business_wait_s(headers: Mapping[str, str]) -> float | None:
    """Read the minutes until an account may call again, for the account that waits longest."""
    usage = json_object(headers.get("x-business-use-case-usage", ""))
    entries = [entry for entries in usage.values() if isinstance(entries, list) for entry in entries]
    minutes = [entry.get("estimated_time_to_regain_access") for entry in entries if isinstance(entry, dict)]
    return max((capped(60.0 * told) for told in minutes if isinstance(told, int | float) and told > 0), default=None)


def _app_wait_s(headers: Mapping[str, str]) -> float | None:
    shares = json_object(headers.get("x-app-usage", "")).values()
    is_used_up = any(isinstance(share, int | float) and share >= 100 for share in shares)
    return _APP_USAGE_WAIT_S if is_used_up else None


def _trace_id(answer: Mapping[str, Any], response: Response) -> str | None:
    found = answer.get("fbtrace_id") or response.headers.get("x-fb-trace-id")
    return found if isinstance(found, str) and _TRACE_ID.fullmatch(found) else None


DESTINATION: Final = Meta()
