"""What an answer of Meta's means: its codes decide, as its texts are in the language of the account.

Graph error guide https://developers.facebook.com/docs/graph-api/guides/error-handling, Marketing API error
reference and rate limiting https://developers.facebook.com/docs/marketing-api/error-reference, all as of
2026-09-12; the 28040xx subcodes are not documented and were recorded by third parties.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from uploader.answers import capped, json_object, retry_after_s, whole_number
from uploader.destinations.interface import Outcome, Response, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRACE_ID: Final = re.compile(r"[A-Za-z0-9_+/=.-]{1,64}")
_NAMED_EVENT: Final = re.compile(r"\$\['data'\]\[([0-9]{1,6})\]")
_BLAMED_EVENT: Final = re.compile(r"(?:\['data'\]|\bdata)\[([0-9]{1,6})\]")

# X-App-Usage tells a share of a rolling hour and no time; five minutes frees a twelfth of it. Our choice.
_APP_USAGE_WAIT_S: Final = 300.0

_THROTTLED: Final = (Verdict.THROTTLED, "Meta limits the rate of calls: wait, and send fewer requests")
_TOKEN: Final = (Verdict.BLOCKED, "the access token is invalid or has expired: create a new one")
_PERMISSION: Final = (Verdict.BLOCKED, "the token may not write: assign the dataset to the token's user")
_DATASET: Final = (Verdict.BLOCKED, "no such dataset, or not the token's: check dataset_id and its users")
_POLICY: Final = (Verdict.BLOCKED, "Meta has blocked this account for a while: look at Events Manager")
_OUTAGE: Final = (Verdict.IN_DOUBT, "Meta had an error of its own and may still have taken the events")
_INVALID: Final = (Verdict.REFUSED, "Meta finds it invalid: compare `uploader plan --show 1` with its documents")

RULES: Final[Mapping[tuple[int | None, int | None], tuple[Verdict, str]]] = MappingProxyType(
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
STATUSES: Final[Mapping[int, tuple[Verdict, str]]] = MappingProxyType(
    {
        401: _TOKEN,
        403: _PERMISSION,
        404: (Verdict.BLOCKED, "nothing is at this address: check base_url, api_version and dataset_id"),
        408: (Verdict.IN_DOUBT, "the request took too long to arrive"),
        413: (Verdict.TOO_BIG, "the request is larger than Meta accepts"),
        429: _THROTTLED,
    }
)


def outcome_of(response: Response, sent: int) -> Outcome:
    """Say what the answer to a request with ``sent`` events means. See `Destination.read_response`."""
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
    rule = RULES.get((code, subcode)) or RULES.get((code, None))
    if response.status >= 500:
        if response.status == 503 and code is None and "retry-after" in response.headers:
            return _THROTTLED
        return rule if rule and rule[0] is Verdict.THROTTLED else _OUTAGE
    if rule:
        return rule
    if is_transient and response.status not in {413, 429}:
        return _OUTAGE
    return STATUSES.get(response.status, _INVALID)


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
