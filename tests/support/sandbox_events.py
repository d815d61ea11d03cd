"""Events that the sandbox takes, and ways to make them wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from uploader.sandbox import Sandbox

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HASH = sha256(b"jane@example.com").hexdigest()
LDU = {"data_processing_options": ["LDU"]}
EXTINFO = ["i2", "com.example", "4", "4.2", "18.2", *[""] * 11]
BEARER = {"Authorization": "Bearer sandbox-token"}


def purchase(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Make an event that Meta takes; a change to None leaves the key out."""
    event = {
        "event_name": "Purchase",
        "event_time": int(NOW.timestamp()) - 60,
        "action_source": "website",
        "event_id": f"purchase.{number}",
        "event_source_url": "https://shop.example.com/",
        "user_data": {"em": [HASH], "client_user_agent": "Mozilla/5.0", "client_ip_address": "192.0.2.1"},
        "custom_data": {"value": 19.99, "currency": "EUR", "order_id": str(number)},
    } | changes
    return {key: value for key, value in event.items() if value is not None}


def user(**fields: Any) -> dict[str, Any]:
    """Make a purchase that is identified by these fields alone."""
    return purchase(user_data=fields)


def money(**fields: Any) -> dict[str, Any]:
    """Make a purchase with these custom fields alone."""
    return purchase(custom_data=fields)


def aged(action_source: str = "website", **age: float) -> dict[str, Any]:
    """Make a purchase that is so old."""
    seconds = int((NOW - timedelta(**age)).timestamp())
    return purchase(action_source=action_source, event_time=seconds)


def post(sandbox: Sandbox, *events: Any, session: Any = requests, **parameters: Any) -> requests.Response:
    """Post events as JSON, with the right token."""
    body = {"data": list(events), **parameters}
    return session.post(f"{sandbox.url}/v26.0/1/events", json=body, headers=BEARER, timeout=5, allow_redirects=False)
