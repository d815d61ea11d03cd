"""The books: what each dataset received, and what of it was counted once."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.sandbox.received import Received, Upload

_TOLD = (
    *("event_name", "event_id", "event_time", "action_source", "order_id", "value", "currency", "user_data"),
    "is_limited",
)


@dataclass(slots=True)
class Counted:
    """One counted event, and how often it came."""

    event: Received
    first_received_at: datetime
    times_received: int = 1

    def as_dict(self) -> dict[str, Any]:
        """Return it with names for people and programs."""
        told = {name: getattr(self.event, name) for name in _TOLD}
        return told | {"first_received_at": self.first_received_at, "times_received": self.times_received}


@dataclass(slots=True)
class Account:
    """What happened to one dataset; its test events have an account of their own."""

    platform: str = ""
    requests: int = 0
    received: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    counted: list[Counted] = field(default_factory=list)
    latest: dict[tuple[object, ...], Counted] = field(default_factory=dict)

    def take(self, event: Received, now: datetime) -> bool:
        """Count an event, unless the same one was first received within the window."""
        self.received += 1
        known = self.latest.get(event.key) if event.key else None
        if known is not None and now - known.first_received_at <= event.window:
            known.times_received += 1
            self.duplicates += 1
            return False
        counted = Counted(event, now)
        self.counted.append(counted)
        if event.key:
            self.latest[event.key] = counted
        return True

    def summary(self) -> dict[str, Any]:
        """Return the figures, by currency and by event name."""
        by_name: dict[str, dict[str, Any]] = {}
        for event in self.counted:
            figures = by_name.setdefault(event.event.event_name, {"counted": 0, "value": {}})
            figures["counted"] += 1
            _add_value(figures["value"], event)
        return {
            "platform": self.platform,
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

    def enter(self, upload: Upload, now: datetime, platform: str) -> tuple[int, int]:
        """Enter a judged upload and return how many events were counted, and how many were duplicates."""
        with self._lock:
            account = self._account(upload.dataset_id, is_test=upload.is_test)
            account.platform = platform
            account.requests += 1
            if upload.refused is not None:
                account.refused[upload.refused] += 1
            account.warnings.update(upload.warnings)
            counted = sum([account.take(event, now) for event in upload.events])
            return counted, len(upload.events) - counted

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


def _add_value(totals: dict[str, Decimal], counted: Counted) -> None:
    event = counted.event
    if event.value is not None and event.currency is not None:
        totals[event.currency] = totals.get(event.currency, Decimal(0)) + event.value


def _values(events: list[Counted]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for event in events:
        _add_value(totals, event)
    return totals
