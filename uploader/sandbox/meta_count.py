"""What counts as the same event at Meta, and what the books get to know of one."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from uploader.sandbox.received import Received

if TYPE_CHECKING:
    from uploader.sandbox.meta_event import Event

DEDUP_WINDOW: Final = timedelta(hours=48)
"""How long after an event was first received another with its name and id is a duplicate of it.

https://developers.facebook.com/documentation/ads-commerce/conversions-api/deduplicate-pixel-and-server-events
(read 2026-09-12). Meta promises this for browser or app and server; that two server events deduplicate as well is
taken for granted here, and for every action source that is not named below.
"""
DEDUP_WINDOW_IN_STORE: Final = timedelta(days=7)
"""The same for sales in a store, among themselves, whatever their ids.

.../offline-events (read 2026-09-12): the key is dataset, time, name, order and item; without an order, the same
customer information stands for it. That time and name still count then is how it is read here.
.../business-messaging (read 2026-09-12): events of a conversation are never taken for the same.
"""


def _identity(event: Event) -> tuple[tuple[object, ...], timedelta]:
    """Return what makes another event the same one, and for how long; nothing does where it is empty."""
    name = event.fields["event_name"]
    if event.action_source == "business_messaging":
        return (), timedelta()
    if event.action_source == "physical_store":
        order = [event.custom_data.get(key) for key in ("order_id", "item_number")]
        person = None if order[0] else sha256(json.dumps(event.user_data, sort_keys=True).encode()).digest()
        return ("physical_store", name, event.fields["event_time"], *order, person), DEDUP_WINDOW_IN_STORE
    event_id = event.fields.get("event_id")
    return ((name, event_id) if event_id else ()), DEDUP_WINDOW


def received(event: Event) -> Received:
    """Return what the books need of an event."""
    custom = event.custom_data
    currency = custom.get("currency")
    key, window = _identity(event)
    return Received(
        event_name=event.fields["event_name"],
        event_id=event.fields.get("event_id") or None,
        event_time=event.fields["event_time"],
        action_source=event.action_source,
        order_id=custom.get("order_id"),
        value=Decimal(custom["value"]) if "value" in custom else None,
        currency=currency.upper() if currency else None,
        user_data=tuple(event.user_data),
        is_limited=bool(event.fields.get("data_processing_options")),
        key=key,
        window=window,
    )
