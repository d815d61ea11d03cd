"""What a destination declares. It turns frames into bodies and answers into outcomes, and never sends.

A destination never opens a socket, reads a file, or looks at the clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from uploader.encode import Body, Items, Leaf, Limits, Listed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Account",
    "Body",
    "Destination",
    "Items",
    "Leaf",
    "Limits",
    "Listed",
    "Outcome",
    "Request",
    "Response",
    "Secret",
    "Verdict",
    "Windows",
]


class Secret:
    """A text that shows itself only when asked to, so that it cannot reach a log or an exception."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one place that puts it on the wire."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Account:
    """One asset of a platform, as configured: where the events go and as whom."""

    dataset_id: str
    base_url: str
    api_version: str
    token: Secret
    test_event_code: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP POST. ``secret_headers`` are revealed by the transport alone."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer; header names are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Verdict(StrEnum):
    """What an answer means for the whole request."""

    ACCEPTED = "accepted"
    """Every event was taken."""
    REFUSED = "refused"
    """Nothing was taken, because of at least one event in it: find that event."""
    TOO_BIG = "too_big"
    """Nothing was taken, because the request is too large: halve it."""
    THROTTLED = "throttled"
    """Nothing was taken: come back after ``wait_s``."""
    BLOCKED = "blocked"
    """Nothing was taken, and nothing will be until a person mends the token, permission or dataset."""
    NOT_SENT = "not_sent"
    """No byte left this machine. The transport finds that, never a destination."""
    IN_DOUBT = "in_doubt"
    """It cannot be known whether the events were taken."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, read. ``code`` is the platform's code; ``message`` is our own text, never the platform's.

    ``wait_s`` (seconds) is set where the platform says how long to wait; ``culprits`` are the positions of
    the events that the answer names as bad.
    """

    verdict: Verdict
    code: str | None = None
    message: str = ""
    wait_s: float | None = None
    culprits: tuple[int, ...] = ()
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class Windows:
    """What a platform says of time. None stands for: it does not say.

    ``dedup`` is for how long after its first receipt it recognizes a second event with the same name and id;
    ``dedup_by_source`` where that differs by action source, zero where it never does. ``future`` is how far ahead
    an event may lie. How old one may be is decided in SQL.
    """

    dedup: timedelta | None
    dedup_by_source: Mapping[str, timedelta | None] = field(default_factory=dict)
    by_order: frozenset[str] = frozenset()
    """The action sources whose events it recognizes by their order and time instead of by their id."""
    first_wins: bool = True
    """Whether of two receipts the first one counts."""
    future: timedelta = timedelta(seconds=60)


class Destination(ABC):
    """One ad platform."""

    name: ClassVar[str]
    """The module's name, and the destination's name in ``seeds/destinations.csv``."""
    base_url: ClassVar[str]
    """Where the platform is reached, without version; a setting of the same name overrides it."""
    hosts: ClassVar[tuple[str, ...]]
    """The platform's hosts: ``base_url`` leads to one of them, unless the user's settings allow another."""
    api_version: ClassVar[str]
    token_env: ClassVar[str]
    """The environment variable that holds the token, unless a setting names another."""
    windows: ClassVar[Windows]
    limits: ClassVar[Limits]
    event_names: ClassVar[Mapping[str, str]]
    """Our event name to theirs; an event that is not named here goes under its own name."""

    @abstractmethod
    def body(self) -> Body:
        """Declare one event over the columns of `uploader.events.EVENTS` and `OUTBOX`."""

    @abstractmethod
    def request(self, account: Account, events: bytes | memoryview) -> Request:
        """Wrap a batch's events, JSON joined by commas, into one request. The same arguments give the same bytes."""

    @abstractmethod
    def envelope_bytes(self, account: Account) -> int:
        """Bytes of a request's body beside the events and the commas between them."""

    @abstractmethod
    def read_response(self, response: Response, sent: int) -> Outcome:
        """Say what the answer to a request with ``sent`` events means. Never raises, whatever the body."""
