"""Meta's rules for one event, as pure functions that raise a refusal.

https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/server-event and
.../parameters/customer-information-parameters and .../best-practices (read 2026-09-12).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from uploader.sandbox import meta_refusal as refuse
from uploader.sandbox import meta_source
from uploader.sandbox.shape import as_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

MAX_AGE: Final = timedelta(days=7)
MAX_AGE_IN_STORE: Final = timedelta(days=62)
# Meta publishes no rule for the future; shops report refusals when a clock runs ahead. A guess.
MAX_AHEAD: Final = timedelta(minutes=5)
# Ten digits of seconds reach the year 2286: more digits are milliseconds.
SECONDS_END: Final = 10**10

HASHED: Final = (
    *("em", "ph", "fn", "ln", "db", "ge", "ct", "st", "zp", "country"),
    # Not in Meta's table, but Meta's SDK hashes and sends them.
    *("f5first", "f5last", "fi", "dobd", "dobm", "doby"),
)
SHA256: Final = re.compile(r"[0-9a-f]{64}")
SHA256_OF_NOTHING: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
BROWSER_ID: Final = re.compile(r"fb\.\d\.\d{10,13}\.[^\s]+")

TOO_BROAD: Final = (
    frozenset({"ct", "country", "st", "zp", "ge", "client_user_agent"}),
    frozenset({"db", "client_user_agent"}),
    frozenset({"fn", "ge"}),
    frozenset({"ln", "ge"}),
)
"""An event identified by one of these sets, or by a part of one, is refused."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event whose shape is right: only its meaning is still to be judged."""

    fields: Mapping[str, Any]

    @property
    def action_source(self) -> str:
        """Where the conversion happened."""
        return str(self.fields["action_source"])

    @property
    def user_data(self) -> Mapping[str, Any]:
        """The customer information."""
        found: Mapping[str, Any] = self.fields["user_data"]
        return found

    @property
    def custom_data(self) -> Mapping[str, Any]:
        """The business data, empty where there is none."""
        found: Mapping[str, Any] = self.fields.get("custom_data", {})
        return found

    def identifiers(self) -> frozenset[str]:
        """Return the names of the identifiers that hold a valid value; a malformed one identifies nobody."""
        return frozenset(key for key, value in self.user_data.items() if _identifies(key, value))


def check_time(event: Event, now: datetime) -> None:
    """Refuse a time that is missing, in milliseconds, too old for its source, or in the future."""
    seconds = event.fields.get("event_time")
    if seconds is None:
        raise refuse.event_too_old("The parameter event_time is required.")
    if seconds >= SECONDS_END:
        raise refuse.event_too_old("The parameter event_time must be a Unix time in seconds.")
    limit = MAX_AGE_IN_STORE if event.action_source == "physical_store" else MAX_AGE
    age = timedelta(seconds=now.timestamp() - seconds)
    if age > limit:
        raise refuse.event_too_old(
            f"The timestamp of this event is too far in the past: send it within {limit.days} days."
        )
    if age < -MAX_AHEAD:
        raise refuse.insufficient("The timestamp of this event is in the future.")


def check_hashes(event: Event) -> None:
    """Refuse an identifier that Meta wants hashed and that is something else."""
    for key in HASHED:
        if key in event.user_data and not all(map(SHA256.fullmatch, as_list(event.user_data[key]))):
            raise refuse.not_hashed(key)


def check_identity(event: Event) -> None:
    """Refuse customer information that is missing, or too broad to match anybody."""
    found = event.identifiers()
    if any(found <= broad for broad in TOO_BROAD):
        raise refuse.no_identity()


def check_purchase(event: Event) -> None:
    """Refuse a Purchase without value or currency. Meta documents both as required, but no subcode."""
    if event.fields["event_name"] != "Purchase":
        return
    for key in ("value", "currency"):
        if key not in event.custom_data:
            raise refuse.insufficient(f"The parameter custom_data.{key} is required for Purchase events.")


def check_limited_use(event: Event) -> None:
    """Refuse limited data use that neither an address nor a state locates.

    https://developers.facebook.com/documentation/ads-commerce/marketing-api/overview/data-processing-options
    """
    is_limited = bool(event.fields.get("data_processing_options"))
    is_located = "data_processing_options_state" in event.fields or "client_ip_address" in event.identifiers()
    if is_limited and not is_located:
        raise refuse.insufficient("The parameter data_processing_options_state is required without an IP.")


RULES: Final = (
    check_hashes,
    meta_source.check_source,
    meta_source.check_lead_id,
    check_purchase,
    check_limited_use,
    check_identity,
)
"""What is judged after the time, in this order: time comes first, as observed; the rest is a guess."""


def warnings(event: Event) -> Iterator[str]:
    """Name what Meta takes without an error, but a careful sender would not send."""
    if event.action_source == "website":
        # Documented as required; a website event with nothing but an e-mail hash was seen to be accepted.
        yield from (f"website_without_{key}" for key in ("event_source_url",) if key not in event.fields)
        if "client_user_agent" not in event.user_data:
            yield "website_without_client_user_agent"
    if not str(event.fields.get("event_source_url", "https://")).startswith(("https://", "http://")):
        yield "malformed_event_source_url"
    if any(SHA256_OF_NOTHING in as_list(event.user_data.get(key, [])) for key in HASHED):
        yield "hash_of_nothing"
    found = event.identifiers()
    for key in ("client_ip_address", "fbc", "fbp"):
        if key in event.user_data and key not in found:
            yield f"malformed_{key}"
    yield from meta_source.warnings(event)


def _identifies(key: str, value: object) -> bool:
    if key in ("fbc", "fbp"):
        return BROWSER_ID.fullmatch(str(value)) is not None
    if key == "client_ip_address":
        return _is_address(str(value))
    return any(str(item).strip() for item in as_list(value))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
