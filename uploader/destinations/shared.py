"""What many destinations do alike: addresses, tokens in headers, and answers that only their status explains."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from uploader.answers import retry_after_s
from uploader.destinations.interface import Account, Outcome, Response, Secret, Verdict
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

UUID: Final = r"^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$"
"""A UUID with all of its dashes or without any."""
_HEADER_SAFE: Final = re.compile(r"[!-~]+")

USUAL_STATUSES: Final[Mapping[int, tuple[Verdict, str]]] = MappingProxyType(
    {
        400: (Verdict.REFUSED, "the platform finds something in it invalid"),
        401: (Verdict.BLOCKED, "the access token is invalid or has expired: create a new one"),
        403: (Verdict.BLOCKED, "the token may not write here: give its owner access"),
        404: (Verdict.BLOCKED, "nothing is at this address: check base_url, api_version and dataset_id"),
        408: (Verdict.IN_DOUBT, "the request took too long to arrive"),
        413: (Verdict.TOO_BIG, "the request is larger than the platform accepts"),
        422: (Verdict.REFUSED, "the platform finds something in it invalid"),
        429: (Verdict.THROTTLED, "the platform limits the rate of requests"),
    }
)
"""What HTTP's statuses mean where a platform says nothing else of them (RFC 9110, section 15; RFC 6585)."""


def outcome_by_status(
    response: Response,
    code: str | None = None,
    rules: Mapping[str, tuple[Verdict, str]] = MappingProxyType({}),
    culprits: tuple[int, ...] = (),
) -> Outcome:
    """Read an answer that is no success: by the platform's code, where ``rules`` know it, else by its status."""
    usual = (Verdict.REFUSED if 400 <= response.status < 500 else Verdict.IN_DOUBT, "an answer of an unknown kind")
    verdict, message = rules.get(code or "") or USUAL_STATUSES.get(response.status, usual)
    return Outcome(
        verdict,
        code or f"http_{response.status}",
        message,
        retry_after_s(response.headers) if verdict in {Verdict.THROTTLED, Verdict.IN_DOUBT} else None,
        culprits if verdict is Verdict.REFUSED else (),
    )


def unconfirmed(response: Response, trace_id: str | None = None) -> Outcome:
    """Read a success that does not say that every event was taken."""
    message = "the answer does not confirm that every event was taken"
    wait_s = retry_after_s(response.headers)
    return Outcome(Verdict.IN_DOUBT, f"http_{response.status}", message, wait_s, trace_id=trace_id)


def bearer(account: Account) -> dict[str, Secret]:
    """Return the header that most platforms want the token in."""
    return {"Authorization": Secret(f"Bearer {printable_token(account)}")}


def address(account: Account, *path: str) -> str:
    """Return ``base_url`` with a path of parts that may hold any sign; raise where it could not be an address."""
    try:
        base = urlsplit(account.base_url)
        plain = base.hostname and base.scheme in {"http", "https"} and "@" not in base.netloc
    except ValueError:
        plain = None
    if not plain or re.search(r"[?#\s]", account.base_url):
        raise ConfigurationError("base_url is scheme, host and path only, like https://graph.example.com")
    if not account.dataset_id.strip("."):
        raise ConfigurationError(
            "dataset_id is missing: the platform shows it beside the name of what takes the events"
        )
    return "/".join([account.base_url.rstrip("/"), *(quote(part, safe=":") for part in path)])


def printable_token(account: Account) -> str:
    """Return the token; raise where it could not stand in a header."""
    token = account.token.reveal()
    if not _HEADER_SAFE.fullmatch(token):
        raise ConfigurationError("the access token is empty, or holds blanks or signs that no token has")
    return token
