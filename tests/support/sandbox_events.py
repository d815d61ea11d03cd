"""Events that the sandbox takes, and ways to make them wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
import requests

from uploader.sandbox.meta import Meta
from uploader.sandbox.wire import Call

if TYPE_CHECKING:
    from uploader.sandbox import Sandbox
    from uploader.sandbox.meta import Judgement

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


def judge(*events: Any, now: datetime = NOW, **parameters: Any) -> Judgement:
    """Let the sandbox's Meta judge these events as one request, without a server."""
    body = orjson.dumps({"data": list(events), **parameters})
    headers = {"content-type": "application/json", **{name.lower(): text for name, text in BEARER.items()}}
    return Meta("sandbox-token", None, "v26.0").judge(Call("POST", "/v26.0/1/events", {}, headers, body), now)


def app_event(*, extinfo: list[Any] = EXTINFO, **changes: Any) -> dict[str, Any]:
    """Make an app's purchase that Meta takes."""
    app_data = {"advertiser_tracking_enabled": 1, "extinfo": extinfo}
    return purchase(action_source="app", app_data=app_data, event_source_url=None) | changes


def message(channel: str = "messenger", event_name: str = "Purchase", **ids: Any) -> dict[str, Any]:
    """Make a purchase in a conversation, identified by these ids."""
    return purchase(
        event_name=event_name,
        action_source="business_messaging",
        messaging_channel=channel,
        event_source_url=None,
        user_data=ids,
    )


def stage(event_name: str = "QualifiedLead", **custom_data: Any) -> dict[str, Any]:
    """Make a stage that a lead reached in a CRM, with these custom fields alone."""
    return purchase(
        event_name=event_name,
        action_source="system_generated",
        event_source_url=None,
        user_data={"lead_id": 525645896321548},
        custom_data=custom_data,
    )


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
