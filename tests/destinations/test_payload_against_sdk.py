"""Meta's own Python SDK as outside judge: the same event, built by its classes and by us, field by field.

The SDK hashes what it gets, so it is given the normalized values whose hashes our rows carry; how raw values
are normalized is compared elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.frames import event_frame
from tests.support.sdk_events import NORMALIZED, ORDERS, sdk_event
from uploader.destinations.interface import Account, Secret
from uploader.destinations.meta import DESTINATION
from uploader.encode import encode, leaf_paths

if TYPE_CHECKING:
    from collections.abc import Callable

LISTED = ("email_sha256s", "phone_digits_sha256s")


def _own_first(hashes: list[str]) -> list[str]:
    order = [_sha256(text) for name in LISTED for text in ORDERS["several"][name]]
    return sorted(hashes, key=lambda one: order.index(one) if one in order else 0)


DIFFERENCES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "custom_data.currency": (
        "the SDK writes it in lower case; ISO 4217 and Meta's table have upper case, and Meta takes both",
        str.upper,
    ),
    "user_data.external_id": (
        "the SDK never hashes it; Meta recommends to, and its newer libraries do",
        lambda ids: [_sha256(text) for text in ids],
    ),
    "user_data.lead_id": ("the SDK passes on what it gets; Meta's table has a number", int),
    "app_data.advertiser_tracking_enabled": ("the SDK writes a boolean; Meta's document has 0 or 1", int),
    "app_data.application_tracking_enabled": ("the same", int),
    "app_data.extinfo": (
        "the SDK writes null for what is not known; Meta's document has an empty text",
        lambda device: [element or "" for element in device],
    ),
    "user_data.em": ("the SDK's order of several changes from run to run; ours has the event's own first", _own_first),
    "user_data.ph": ("the same", _own_first),
}
"""Every deliberate difference: where, why, and what turns the SDK's value into ours."""

ACCOUNT = Account("1", DESTINATION.base_url, DESTINATION.api_version, Secret("token"))
NOT_IN_THE_SDK = {
    *("user_data.page_scoped_user_id", "user_data.whatsapp_business_account_id"),
    *("user_data.instagram_business_account_id", "user_data.ig_sid", "app_data.vendor_id"),
}
"""What Meta documents for conversations and apps, and its SDK has no field for."""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _ours(order: dict[str, Any]) -> dict[str, Any]:
    row = order | {name: _sha256(order[name]) for name in NORMALIZED if name in order}
    row |= {name: [_sha256(text) for text in order[name]] for name in LISTED if name in order}
    payload = encode(event_frame(row), DESTINATION.body(ACCOUNT)).payloads()[0]
    event: dict[str, Any] = json.loads(payload)
    return event


def _flat(event: dict[str, Any]) -> dict[str, Any]:
    """Bring an event into paths and values; an empty object has none."""
    flat: dict[str, Any] = {}
    for key, value in event.items():
        inner = {f"{key}.{path}": leaf for path, leaf in _flat(value).items()} if isinstance(value, dict) else None
        flat |= {key: value} if inner is None else inner
    return flat


def _typed(value: Any) -> Any:
    """Keep true apart from 1, which Python does not."""
    return (bool, value) if isinstance(value, bool) else value


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_same_order_same_event(order: dict[str, Any]) -> None:
    """Same paths; same values, but for the listed differences."""
    ours, theirs = _flat(_ours(order)), _flat(sdk_event(order))
    assert set(ours) == set(theirs)
    for path, value in theirs.items():
        _, into_ours = DIFFERENCES.get(path, ("", lambda same: same))
        assert (path, _typed(ours[path])) == (path, _typed(into_ours(value)))


def test_each_difference_is_one() -> None:
    """The list holds no difference that is gone, but for the order that comes and goes."""
    pairs = [(_flat(_ours(order)), _flat(sdk_event(order))) for order in ORDERS.values()]
    found = {path for ours, theirs in pairs for path in theirs if _typed(theirs[path]) != _typed(ours[path])}
    assert set(DIFFERENCES) == found | {"user_data.em", "user_data.ph"}


def test_the_sdk_knows_every_field_we_can_send() -> None:
    """The events together use every leaf of our body but those it has no field for, so that none escapes."""
    compared = {path for order in ORDERS.values() for path in _flat(sdk_event(order))}
    assert set(leaf_paths(DESTINATION.body(ACCOUNT))) - compared == NOT_IN_THE_SDK
    assert compared <= set(leaf_paths(DESTINATION.body(ACCOUNT)))
