"""Meta's Conversions API: where its events go, under which names, and by which limits and windows.

    payload       one event as Meta wants it
    answers       what an answer means

Pages below https://developers.facebook.com/documentation/ads-commerce/conversions-api/, as of 2026-09-12:
using-the-api (endpoint, batches), deduplicate-pixel-and-server-events, business-messaging, offline-events.
"""

from __future__ import annotations

import re
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

import orjson

from uploader.destinations.interface import (
    Account,
    Body,
    Destination,
    Limits,
    Outcome,
    Request,
    Response,
    Windows,
)
from uploader.destinations.meta import answers, payload
from uploader.destinations.shared import address, bearer
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_GRAPH_VERSION: Final = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}")

_STANDARD_EVENTS: Final = (
    *("PageView", "ViewContent", "Search", "AddToCart", "AddToWishlist", "InitiateCheckout", "AddPaymentInfo"),
    *("Purchase", "Lead", "CompleteRegistration", "Contact", "Schedule", "SubmitApplication"),
    *("StartTrial", "Subscribe", "CustomizeProduct", "Donate", "FindLocation"),
)


class Meta(Destination):
    """Meta, by the Conversions API's ``/events`` endpoint."""

    name: ClassVar[str] = "meta"
    base_url: ClassVar[str] = "https://graph.facebook.com"
    hosts: ClassVar[tuple[str, ...]] = ("graph.facebook.com",)
    api_version: ClassVar[str] = "v26.0"
    token_env: ClassVar[str] = "META_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    # "Deduplicate events" for the 48 hours, by event id; "Conversions API for business messaging": no deduplication at
    # all; "Conversions API for offline events": sales in a store by their time and order, for at most seven days.
    windows: ClassVar[Windows] = Windows(
        timedelta(hours=48),
        MappingProxyType({"business_messaging": timedelta(), "physical_store": timedelta(days=7)}),
        by_order=frozenset({"physical_store"}),
    )
    # Meta publishes 1,000 events and no limit by bytes; 8 MB is ours: six times a batch of usual orders.
    limits: ClassVar[Limits] = Limits(events=1000, bytes=8_000_000)
    # Our names are Meta's own.
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType({name: name for name in _STANDARD_EVENTS})

    def body(self, account: Account) -> Body:
        """See `Destination.body`."""
        return payload.body(self.event_name(account))

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:  # noqa: ARG002
        """See `Destination.request`. The token travels in a header: addresses end up in logs."""
        if not _GRAPH_VERSION.fullmatch(account.api_version):
            raise ConfigurationError(f"api_version is a version like v26.0, not {account.api_version!r}")
        code = account.test_event_code
        tail = b"]" + (b',"test_event_code":' + orjson.dumps(code) if code else b"") + b"}"
        return Request(
            url=address(account, account.api_version, account.dataset_id, "events"),
            body=b"".join((b'{"data":[', events, tail)),
            headers={"Content-Type": "application/json"},
            secret_headers=bearer(account),
        )

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`."""
        return answers.outcome_of(response, sent)


DESTINATION: Final = Meta()
