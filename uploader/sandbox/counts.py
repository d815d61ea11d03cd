"""The books: what each dataset received, and what of it was counted once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.sandbox.meta import Judgement
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


@dataclass(slots=True)
class Counted:
    """One counted event: what identifies it and what it is worth, but no customer information."""

    event_name: str
    event_id: str | None
    event_time: int
    action_source: str
    order_id: str | None
    value: Decimal | None
    currency: str | None
    user_data: tuple[str, ...]
    is_limited: bool
    first_received_at: datetime
    times_received: int = 1

    def as_dict(self) -> dict[str, Any]:
        """Return it with names for people and programs."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Account:
    """What happened to one dataset; its test events have an account of their own."""

    requests: int = 0
    received: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    counted: list[Counted] = field(default_factory=list)
    latest: dict[tuple[object, ...], Counted] = field(default_factory=dict)

    def take(self, event: Event, now: datetime) -> bool:
        """Count an event, unless the same one was first received within the window."""
        self.received += 1
        key, window = _identity(event)
        known = self.latest.get(key) if key else None
        if known is not None and now - known.first_received_at <= window:
            known.times_received += 1
            self.duplicates += 1
            return False
        counted = _counted(event, now)
        self.counted.append(counted)
        if key:
            self.latest[key] = counted
        return True

    def summary(self) -> dict[str, Any]:
        """Return the figures, by currency and by event name."""
        by_name: dict[str, dict[str, Any]] = {}
        for event in self.counted:
            figures = by_name.setdefault(event.event_name, {"counted": 0, "value": {}})
            figures["counted"] += 1
            _add_value(figures["value"], event)
        return {
            "requests": self.requests,
            "received": self.received,
            "counted": len(self.counted),
            "duplicates": self.duplicates,
            "refused": dict(self.refused),
            "faults": dict(self.faults),
            "warnings": dict(self.warnings),
            "value": _values(self.counted),
            "by_event": by_name,
        }


class Books:
    """All accounts, safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[tuple[str, bool], Account] = {}

    def enter(self, judgement: Judgement, now: datetime) -> tuple[int, int]:
        """Enter a judged upload and return how many events were counted, and how many were duplicates."""
        with self._lock:
            account = self._account(judgement.dataset_id, is_test=judgement.test_event_code is not None)
            account.requests += 1
            if judgement.refusal is not None:
                account.refused[judgement.refusal.label] += 1
                return 0, 0
            account.warnings.update(judgement.warnings)
            counted = sum([account.take(event, now) for event in judgement.events])
            return counted, len(judgement.events) - counted

    def enter_fault(self, dataset_id: str, kind: str, *, is_judged: bool) -> None:
        """Enter that a request met a switched-on fault; if it is judged as well, `enter` counts it."""
        with self._lock:
            account = self._account(dataset_id, is_test=False)
            account.requests += not is_judged
            account.faults[kind] += 1

    def counts(self) -> dict[str, dict[str, Any]]:
        """Return the figures of every dataset; ``test`` holds those of its test events."""
        with self._lock:
            datasets = sorted({dataset_id for dataset_id, _ in self._accounts})
            return {
                dataset_id: {
                    **self._account(dataset_id, is_test=False).summary(),
                    "test": self._account(dataset_id, is_test=True).summary(),
                }
                for dataset_id in datasets
            }

    def counted(self, dataset_id: str, *, is_test: bool = False) -> list[dict[str, Any]]:
        """Return the counted events of one dataset, in the order of their arrival."""
        with self._lock:
            account = self._accounts.get((dataset_id, is_test), Account())
            return [event.as_dict() for event in account.counted]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._accounts.clear()

    def _account(self, dataset_id: str, *, is_test: bool) -> Account:
        return self._accounts.setdefault((dataset_id, is_test), Account())


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


def _counted(event: Event, now: datetime) -> Counted:
    custom: Mapping[str, Any] = event.custom_data
    currency = custom.get("currency")
    return Counted(
        event_name=event.fields["event_name"],
        event_id=event.fields.get("event_id") or None,
        event_time=event.fields["event_time"],
        action_source=event.action_source,
        order_id=custom.get("order_id"),
        value=Decimal(custom["value"]) if "value" in custom else None,
        currency=currency.upper() if currency else None,
        user_data=tuple(event.user_data),
        is_limited=bool(event.fields.get("data_processing_options")),
        first_received_at=now,
    )


def _add_value(totals: dict[str, Decimal], event: Counted) -> None:
    if event.value is not None and event.currency is not None:
        totals[event.currency] = totals.get(event.currency, Decimal(0)) + event.value


def _values(events: list[Counted]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for event in events:
        _add_value(totals, event)
    return totals
