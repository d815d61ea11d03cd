"""Events for Meta's own Python SDK: normalized values in, the dictionary that it would send out."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.app_data import AppData
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.extended_device_info import ExtendedDeviceInfo
from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.messaging_channel import MessagingChannel
from facebook_business.adobjects.serverside.user_data import UserData

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

NO_ORDER = {"order_id": None, "value": None, "currency": None}
DEVICE = {
    "ext_info_version": "a2",
    "app_package_name": "com.example.shop",
    "short_version": "5.2",
    "long_version": None,
    "os_version": "15",
    "device_model_name": "Pixel 9",
    "locale": "en_US",
    "timezone_abbreviation": None,
    "carrier": None,
    "screen_width": "1080",
    "screen_height": "2424",
    "screen_density": "2.63",
    "cpu_core_count": "8",
    "total_disk_space_gb": None,
    "free_disk_space_gb": None,
    "device_time_zone": "America/New_York",
}
"""Named in the order of Meta's document on app events, read 2026-09-12."""

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
    "search": {"event_name": "Search", **NO_ORDER, **IN_CLEAR, **WHERE, "search_string": 'pan "28 cm"'},
    "view": {
        **NO_ORDER,
        **IN_CLEAR,
        **WHERE,
        "event_name": "ViewContent",
        "content_name": "T",
        "content_category": "C",
    },
    "registration": {**NO_ORDER, **WHERE, "event_name": "CompleteRegistration", "registration_status": "completed"},
    "subscription": {
        "event_name": "Subscribe",
        "action_source": "system_generated",
        "value": "7.99",
        "currency": "USD",
        "order_id": "1001",
        "predicted_ltv": "95.88",
        "net_revenue": "2.5",
        "subscription_id": "S-9",
        "customer_segmentation": "new_customer_to_business",
    },
    "stage of a CRM": {
        "event_name": "ClosedWon",
        "action_source": "system_generated",
        **NO_ORDER,
        "lead_id": "525645896321548",
        "event_source": "crm",
        "lead_event_source": "HubSpot",
        "email_sha256": NORMALIZED["email_sha256"],
    },
    "app": {
        "action_source": "app",
        "value": "15.5",
        "currency": "USD",
        "app_info": list(DEVICE.values()),
        "advertiser_tracking_enabled": True,
        "application_tracking_enabled": False,
        "madid": "M",
        "anon_id": "A",
        "campaign_ids": "12021",
        "install_referrer": "utm_source=a",
        "installer_package": "com.android.vending",
    },
    "WhatsApp": {
        "action_source": "business_messaging",
        "value": "30",
        "currency": "USD",
        "messaging_channel": "whatsapp",
        "page_id": "104880001234567",
        "ctwa_clid": "AfcClick",
    },
    "several": {
        "value": "12",
        "currency": "EUR",
        "email_sha256s": ["b@example.com", "a@example.com", "c@example.com"],
        "phone_digits_sha256s": ["493023125042", "16505551212"],
    },
}
OWN_PROPERTIES = ("customer_segmentation", "event_source", "lead_event_source")
"""What the SDK takes as properties of the shop's own."""
SAME_IN_USER_DATA = ("subscription_id", "lead_id", "madid", "anon_id", "page_id", "ctwa_clid")
SAME_IN_APP_DATA = (
    *("advertiser_tracking_enabled", "application_tracking_enabled", "campaign_ids", "install_referrer"),
    "installer_package",
)


def sdk_event(order: dict[str, Any]) -> dict[str, Any]:
    """Return what the SDK makes of one of `ORDERS`."""
    limited = order.get("is_limited_data_use", False)
    event = Event(
        event_name=order.get("event_name", "Purchase"),
        event_time=1795176000,
        event_id="purchase.1001",
        action_source=ActionSource(order.get("action_source", "website")),
        event_source_url=order.get("event_source_url"),
        referrer_url=order.get("referrer_url"),
        user_data=_user_data(order),
        custom_data=_custom_data(order),
        app_data=_app_data(order),
        messaging_channel=MessagingChannel(order["messaging_channel"]) if "messaging_channel" in order else None,
        data_processing_options=["LDU"] if limited else None,
        data_processing_options_country=1 if limited else None,
        data_processing_options_state=1001 if limited else None,
    )
    sent: dict[str, Any] = json.loads(json.dumps(event.normalize()))
    return sent


def _user_data(order: dict[str, Any]) -> UserData:
    return UserData(
        emails=order.get("email_sha256s") or [order[name] for name in ("email_sha256",) if name in order] or None,
        phones=order.get("phone_digits_sha256s")
        or [order[name] for name in ("phone_digits_sha256",) if name in order]
        or None,
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
        **{key: order[key] for key in SAME_IN_USER_DATA if key in order},
    )


def _app_data(order: dict[str, Any]) -> AppData | None:
    if order.get("action_source") != "app":
        return None
    return AppData(
        extinfo=ExtendedDeviceInfo(**DEVICE),
        **{key: order[key] for key in SAME_IN_APP_DATA},
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
        **{key: float(Decimal(order[key])) for key in ("value", "predicted_ltv", "net_revenue") if order.get(key)},
        currency=order["currency"],
        order_id=order.get("order_id", "1001"),
        contents=contents or None,
        content_ids=order.get("content_ids"),
        content_type=order.get("content_type"),
        num_items=order.get("num_items"),
        content_name=order.get("content_name"),
        content_category=order.get("content_category"),
        search_string=order.get("search_string"),
        status=order.get("registration_status"),
        custom_properties={key: order[key] for key in OWN_PROPERTIES if key in order},
    )
