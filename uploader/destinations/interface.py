"""What a destination declares. It turns frames into bodies and answers into outcomes, and never sends.

A destination never opens a socket, reads a file, or looks at the clock.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from uploader.body import decimal_text
from uploader.encode import Body, Items, Leaf, Limits, Listed, Objects

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Account",
    "Auth",
    "Body",
    "Destination",
    "Items",
    "Leaf",
    "Limits",
    "Listed",
    "Objects",
    "Option",
    "Outcome",
    "Request",
    "Response",
    "Result",
    "Results",
    "Secret",
    "Verdict",
    "Windows",
    "decimal_text",
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
    """One asset of a platform, as configured: where the events go and as whom.

    ``events`` are the user's names or ids for our event names, which are in lower case here; ``options`` the platform's
    own settings, with their defaults.
    """

    dataset_id: str
    base_url: str
    api_version: str
    token: Secret
    test_event_code: str | None = None
    events: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    def option(self, name: str) -> str | None:
        """Return an option's value; None where it has none."""
        return self.options.get(name) or None


@dataclass(frozen=True, slots=True)
class Option:
    """A setting that one platform has beside those of all: ``[destinations.NAME.options]``.

    ``pattern`` is a regular expression for the whole value; an empty ``default`` is none. ``example`` is a value of
    that form, for messages and documents.
    """

    about: str
    example: str
    pattern: str = r"[!-~]{1,200}"
    default: str = ""
    is_required: bool = False


class Auth(StrEnum):
    """How a request says as whom it comes."""

    TOKEN = "token"  # noqa: S105 - the name of a way
    """By the token as it is, where `Destination.request` puts it."""
    OAUTH2 = "oauth2"
    """By an access token for an hour. The secret is JSON: a service account's or a user's credentials."""
    OAUTH1 = "oauth1"
    """By a signature of OAuth 1.0a. The secret is JSON with `OAUTH1_PARTS`."""


OAUTH1_PARTS: Final = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP POST. ``secret_headers`` and ``secret_query`` are revealed where it is sent, and nowhere else.

    ``secret_query`` is for platforms that take their secret in no other place.
    """

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, Secret] = field(default_factory=dict)
    secret_query: Mapping[str, Secret] = field(default_factory=dict)


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
    PARTIAL = "partial"
    """Each event was judged by itself: those in ``refused`` were not taken, all others were."""
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
    the events that the answer names as bad. ``refused`` are, with `Verdict.PARTIAL`, the positions of the events that
    were not taken, each with the platform's code.
    """

    verdict: Verdict
    code: str | None = None
    message: str = ""
    wait_s: float | None = None
    culprits: tuple[int, ...] = ()
    trace_id: str | None = None
    refused: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What a platform says later of a request that it had received: its ``status`` for all of it, in its own word.

    ``refused`` counts the events that it did not take, by its codes; it need not, where it is not ``is_whole``.
    """

    is_final: bool
    status: str
    refused: Mapping[str, int] = field(default_factory=dict)
    is_whole: bool = True


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


class Results(ABC):
    """How a platform that only receives at first is asked what became of a request."""

    after: ClassVar[timedelta]
    """How long after the request it knows."""

    @abstractmethod
    def request(self, account: Account, trace_id: str) -> Request:
        """Ask, by a GET, about the request that was answered with ``trace_id``."""

    @abstractmethod
    def read(self, response: Response) -> Result | None:
        """Read the answer; None where it says nothing. Never raises, whatever the body."""


class Destination(ABC):
    """One ad platform."""

    name: ClassVar[str]
    """The module's name, and the destination's name in ``seeds/destinations.csv``."""
    base_url: ClassVar[str]
    """Where the platform is reached, without version; a setting of the same name overrides it."""
    hosts: ClassVar[tuple[str, ...]]
    """The platform's hosts: ``base_url`` leads to one of them, unless the user's settings allow another."""
    api_version: ClassVar[str]
    dataset_example: ClassVar[str] = "1234567890"
    """An id of what takes the events, as in ``dataset_id``, for messages, documents and the demo."""
    token_env: ClassVar[str]
    """The environment variable that holds the token, unless a setting names another."""
    auth: ClassVar[Auth] = Auth.TOKEN
    auth_hosts: ClassVar[tuple[str, ...]] = ()
    """Where credentials are exchanged for an access token."""
    auth_scope: ClassVar[str] = ""
    """What an access token is asked for."""
    windows: ClassVar[Windows]
    limits: ClassVar[Limits]
    requests_per_minute: ClassVar[float] = math.inf
    """How many requests the platform takes in a minute."""
    has_test_mode: ClassVar[bool] = True
    """Whether the platform can be asked to count nothing, which a ``test_event_code`` does."""
    results: ClassVar[Results | None] = None
    """How to ask later what became of a request; None: its answer says that."""
    event_names: ClassVar[Mapping[str, str]]
    """Our event name to theirs."""
    custom_event: ClassVar[str | None] = None
    """The one name of every event that is not named here; None: it goes under its own name."""
    needs_event_ids: ClassVar[bool] = False
    """Whether events go under ids that the user makes at the platform, in ``[destinations.NAME.events]``, and not
    under names."""
    event_id_example: ClassVar[str] = ""
    """Such an id, for messages and documents."""
    options: ClassVar[Mapping[str, Option]] = MappingProxyType({})
    """The platform's own settings."""

    @abstractmethod
    def body(self, account: Account) -> Body:
        """Declare one event over the columns of `uploader.events.EVENTS` and `OUTBOX`."""

    def event_name(self, account: Account) -> pl.Expr:
        """Return the platform's name or id of each event: the account's own, else the usual; NULL where it has none."""
        names = {name.lower(): theirs for name, theirs in self.event_names.items()} | dict(account.events)
        other = pl.col("event_name") if self.custom_event is None else pl.lit(self.custom_event)
        if self.needs_event_ids:
            names, other = dict(account.events), pl.lit(None, pl.String)
        ours = pl.col("event_name").str.to_lowercase()
        return ours.replace_strict(names, default=other, return_dtype=pl.String) if names else other

    def place(self, account: Account) -> pl.Expr:
        """Return for each event which of the account's places it goes to; NULL where it has none for it.

        Events of two places never share a request. What a place is, the platform says: an app, a set of offline events.
        """
        return pl.when(self.event_name(account).is_not_null()).then(pl.lit(""))

    def missing(self, event_name: str, action_source: str) -> str:  # noqa: ARG002 - for those that have several places
        """Say which setting an event of this name and source waits for, if `place` has none for it."""
        like = f", like {self.event_id_example}" if self.event_id_example else ""
        return f"destinations.{self.name}.events.{event_name} (the id of this event at the platform{like})"

    @abstractmethod
    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:
        """Wrap a batch's events, JSON joined by commas, into one request. The same arguments give the same bytes.

        Raises `ConfigurationError` for settings that make no request.
        """

    def envelope_bytes(self, account: Account, place: str = "") -> int:
        """Bytes of a request's body beside the events and the commas between them."""
        return len(self.request(account, b"", place).body)

    @abstractmethod
    def read_response(self, response: Response, sent: int) -> Outcome:
        """Say what the answer to a request with ``sent`` events means. Never raises, whatever the body."""
