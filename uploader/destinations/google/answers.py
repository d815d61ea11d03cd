"""What an answer of Google's means, and what it says later of a request that it had received.

https://developers.google.com/data-manager/api: the pages on errors and diagnostics, read 2026-11-20.
"""

from __future__ import annotations

import re
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from uploader.answers import json_object, whole_number
from uploader.destinations.interface import Outcome, Response, Result, Verdict
from uploader.destinations.shared import outcome_by_status, unconfirmed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,99}")
_EVENT: Final = re.compile(r"(?:^|\.)events\[([0-9]{1,6})\]")
_HOURS_TO_WAIT: Final = 6
_LATER_REASON: Final = "PROCESSING_ERROR_REASON_"
_OPEN: Final = ("PROCESSING", "REQUEST_STATUS_UNKNOWN")
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


def outcome_of(response: Response, sent: int) -> Outcome:
    """Say what the answer to a request with ``sent`` events means. See `Destination.read_response`."""
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


def result_of(response: Response) -> Result | None:
    """Read the diagnostics of a request: it has a status for each destination, and counts by reason."""
    found = json_object(response.body).get("requestStatusPerDestination")
    parts = [part for part in _listed(found) if isinstance(part, dict)]
    statuses = [_word(part.get("requestStatus")) for part in parts]
    if response.status != 200 or not statuses or None in statuses:
        return None
    refused = Counter[str]()
    for part in parts:
        info = part.get("errorInfo")
        for entry in _listed(info.get("errorCounts") if isinstance(info, dict) else None):
            count = whole_number(entry.get("recordCount")) if isinstance(entry, dict) else None
            reason = _word(entry.get("reason")) if count else None
            if count and reason:
                refused[reason.removeprefix(_LATER_REASON)] += count
    is_final = not set(statuses) & set(_OPEN)
    is_whole = set(statuses) <= {"SUCCESS", *_OPEN}
    return Result(is_final=is_final, status=max(map(str, statuses)), refused=dict(refused), is_whole=is_whole)


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
