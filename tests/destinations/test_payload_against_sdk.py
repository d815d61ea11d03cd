"""Meta's own Python SDK as outside judge: the same order, built by its classes and by us, field by field.

The SDK hashes what it gets, so it is given the normalized values whose hashes our rows carry; how raw values
are normalized is compared elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.user_data import UserData

from tests.support.frames import event_frame
from uploader.destinations.meta import DESTINATION
from uploader.encode import encode, leaf_paths

if TYPE_CHECKING:
    from collections.abc import Callable

NORMALIZED = {
    "email_sha256": "john_smith@gmail.com",
    "phone_digits_sha256": "16505551212",
    "first_name_sha256": "mary",
    "last_name_sha256": "müller",
    "city_sha256": "newyork",
    "region_sha256": "ny",
    "postal_code_sha256": "94035",
    "country_sha256": "us",
    "date_of_birth_sha256": "19970216",
    "gender_sha256": "f",
    "external_id_sha256": "customer-77",
}
IN_CLEAR = {
    "client_ip": "2001:db8::1",
    "user_agent": "Mozilla/5.0",
    "fbp": "fb.1.1763640000000.1098115397",
    "fbc": "fb.1.1763640000000.IwAR2F4-dbP0",
}
WHERE = {"event_source_url": "https://shop.example.com/a", "referrer_url": "https://www.example.org/"}
LINES = [
    {"id": "SKU-1", "quantity": 2, "item_price": "19.99", "title": "T-shirt", "category": "Apparel"},
    {"id": "SKU-2", "quantity": 1, "item_price": "5", "title": None, "category": None},
]
BASKET = {"contents": LINES, "content_ids": ["SKU-1", "SKU-2"], "content_type": "product", "num_items": 3}
LIMITED = {"is_limited_data_use": True, "country_code": "US", "region_code": "CO"}

ORDERS: dict[str, dict[str, Any]] = {
    "web": {"value": "44.98", "currency": "USD", **NORMALIZED, **IN_CLEAR, **WHERE, **BASKET},
    "least": {"value": "10", "currency": "EUR"},
    "in store": {
        "value": "129.5",
        "currency": "GBP",
        "action_source": "physical_store",
        "email_sha256": NORMALIZED["email_sha256"],
    },
    "phone": {
        "value": "0",
        "currency": "JPY",
        "action_source": "phone_call",
        "phone_digits_sha256": NORMALIZED["phone_digits_sha256"],
    },
    "limited": {"value": "7.125", "currency": "KWD", "email_sha256": NORMALIZED["email_sha256"], **LIMITED},
    "one line": {"value": "1", "currency": "EUR", "contents": LINES[:1], "content_ids": ["SKU-1"], "num_items": 2},
}

DIFFERENCES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "custom_data.currency": (
        "the SDK writes it in lower case; ISO 4217 and Meta's table have upper case, and Meta takes both",
        str.upper,
    ),
    "user_data.external_id": (
        "the SDK never hashes it; Meta recommends to, and its newer libraries do",
        lambda ids: [_sha256(text) for text in ids],
    ),
}
"""Every deliberate difference: where, why, and what turns the SDK's value into ours."""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _ours(order: dict[str, Any]) -> dict[str, Any]:
    row = order | {name: _sha256(order[name]) for name in NORMALIZED if name in order}
    payload = encode(event_frame(row), DESTINATION.body())["payload"].item()
    event: dict[str, Any] = json.loads(payload)
    return event


def _theirs(order: dict[str, Any]) -> dict[str, Any]:
    limited = order.get("is_limited_data_use", False)
    event = Event(
        event_name="Purchase",
        event_time=1795176000,
        event_id="purchase.1001",
        action_source=ActionSource(order.get("action_source", "website")),
        event_source_url=order.get("event_source_url"),
        referrer_url=order.get("referrer_url"),
        user_data=_user_data(order),
        custom_data=_custom_data(order),
        data_processing_options=["LDU"] if limited else None,
        data_processing_options_country=1 if limited else None,
        data_processing_options_state=1001 if limited else None,
    )
    return json.loads(json.dumps(event.normalize()))


def _user_data(order: dict[str, Any]) -> UserData:
    return UserData(
        email=order.get("email_sha256"),
        phone=order.get("phone_digits_sha256"),
        first_name=order.get("first_name_sha256"),
        last_name=order.get("last_name_sha256"),
        city=order.get("city_sha256"),
        state=order.get("region_sha256"),
        zip_code=order.get("postal_code_sha256"),
        country_code=order.get("country_sha256"),
        date_of_birth=order.get("date_of_birth_sha256"),
        gender=Gender(order["gender_sha256"]) if "gender_sha256" in order else None,
        external_id=order.get("external_id_sha256"),
        client_ip_address=order.get("client_ip"),
        client_user_agent=order.get("user_agent"),
        fbp=order.get("fbp"),
        fbc=order.get("fbc"),
    )


def _custom_data(order: dict[str, Any]) -> CustomData:
    contents = [
        Content(
            product_id=line["id"],
            quantity=line["quantity"],
            item_price=float(line["item_price"]),
            title=line["title"],
            category=line["category"],
        )
        for line in order.get("contents", [])
    ]
    return CustomData(
        value=float(Decimal(order["value"])),
        currency=order["currency"],
        order_id="1001",
        contents=contents or None,
        content_ids=order.get("content_ids"),
        content_type=order.get("content_type"),
        num_items=order.get("num_items"),
    )


def _flat(event: dict[str, Any]) -> dict[str, Any]:
    """Bring an event into paths and values; an empty object has none."""
    flat: dict[str, Any] = {}
    for key, value in event.items():
        inner = {f"{key}.{path}": leaf for path, leaf in _flat(value).items()} if isinstance(value, dict) else None
        flat |= {key: value} if inner is None else inner
    return flat


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_same_order_same_event(order: dict[str, Any]) -> None:
    """Same paths; same values, but for the listed differences."""
    ours, theirs = _flat(_ours(order)), _flat(_theirs(order))
    assert set(ours) == set(theirs)
    for path, value in theirs.items():
        _, into_ours = DIFFERENCES.get(path, ("", lambda same: same))
        assert (path, ours[path]) == (path, into_ours(value))


def test_each_difference_is_one() -> None:
    """The list holds no difference that is gone."""
    ours, theirs = _flat(_ours(ORDERS["web"])), _flat(_theirs(ORDERS["web"]))
    assert set(DIFFERENCES) == {path for path in theirs if theirs[path] != ours[path]}


def test_the_sdk_knows_every_field_we_can_send() -> None:
    """The orders together use every leaf of our body, so that none escapes the comparison."""
    compared = {path for order in ORDERS.values() for path in _flat(_theirs(order))}
    assert set(leaf_paths(DESTINATION.body())) == compared
