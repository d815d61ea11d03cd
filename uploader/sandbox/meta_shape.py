"""The shape of one event at Meta: which keys there are, and what each may hold.

A refusal by shape carries the path, ``$['data'][3]['user_data']``, as Meta's own do for unknown keys.
Keys: https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters (read 2026-09-12)
and ``facebook-business`` 26.0.3. Unknown keys are refused everywhere but in ``custom_data``, which may carry
a shop's own; for ``user_data`` and ``app_data`` that is stricter than anything Meta has published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uploader.sandbox.currencies import CURRENCIES
from uploader.sandbox.meta_refusal import bad_parameter
from uploader.sandbox.shape import (
    AMOUNT,
    ANY_TEXT,
    ANYTHING,
    FLAG,
    ID,
    OBJECT,
    TEXT,
    TEXTS,
    WHOLE,
    Shape,
    is_amount,
    is_number,
    is_text,
    is_whole,
    list_of,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def _is_content(value: object) -> bool:
    if not isinstance(value, dict) or not {"id", "quantity"} <= value.keys():
        return False
    is_named = is_text(value["id"]) or is_whole(value["id"])
    return is_named and all(is_amount(value[key]) for key in ("quantity", "item_price") if key in value)


DELIVERY: Final = one_of("in_store", "curbside", "home_delivery")
SEGMENTS: Final = ("business", "business_line", "product_area", "medium")

EVENT: Final[Mapping[str, Shape]] = {
    "event_name": TEXT,
    "event_time": WHOLE,
    "action_source": one_of(
        *("email", "website", "app", "phone_call", "chat", "physical_store"),
        *("system_generated", "business_messaging", "other"),
    ),
    "user_data": OBJECT,
    "custom_data": OBJECT,
    "event_id": ANY_TEXT,
    "event_source_url": ANY_TEXT,
    "referrer_url": ANY_TEXT,
    "opt_out": FLAG,
    "data_processing_options": ('[] or ["LDU"]', lambda value: value in ([], ["LDU"])),
    "data_processing_options_country": one_of(0, 1),
    "data_processing_options_state": one_of(0, *range(1000, 1014)),
    "app_data": OBJECT,
    "messaging_channel": one_of("messenger", "whatsapp", "instagram"),
    "original_event_data": OBJECT,
    "attribution_data": OBJECT,
    "advanced_measurement_table": ANY_TEXT,
}
REQUIRED: Final = ("event_name", "action_source", "user_data")

USER_DATA: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("em", "ph", "fn", "ln", "db", "ge", "ct", "st", "zp", "country", "external_id"), TEXTS),
    **dict.fromkeys(("f5first", "f5last", "fi", "dobd", "dobm", "doby"), TEXTS),
    **dict.fromkeys(("client_ip_address", "client_user_agent", "fbc", "fbp", "subscription_id"), ANY_TEXT),
    **dict.fromkeys(("anon_id", "madid", "ctwa_clid"), ANY_TEXT),
    **dict.fromkeys(("fb_login_id", "lead_id", "page_id", "page_scoped_user_id"), ID),
    **dict.fromkeys(("ig_account_id", "ig_sid"), ID),
    **dict.fromkeys(("whatsapp_business_account_id", "instagram_business_account_id"), ID),
}

APP_DATA: Final[Mapping[str, Shape]] = {
    "advertiser_tracking_enabled": FLAG,
    "application_tracking_enabled": FLAG,
    # Documented as texts, an empty one where nothing is known; Meta's SDK writes null there.
    "extinfo": list_of(("a string", lambda value: value is None or isinstance(value, str))),
    **dict.fromkeys(("install_referrer", "installer_package", "vendor_id"), ANY_TEXT),
    **dict.fromkeys(("campaign_ids", "url_schemes", "windows_attribution_id", "receipt_data"), ANYTHING),
    **dict.fromkeys(("consider_views", "include_dwell_data", "include_video_data"), FLAG),
}

CUSTOM_DATA: Final[Mapping[str, Shape]] = {
    "value": AMOUNT,
    "predicted_ltv": AMOUNT,
    "net_revenue": ("a number", is_number),
    "currency": (
        "a currency code of ISO 4217",
        lambda value: is_text(value) and value.upper() in CURRENCIES,
    ),
    "contents": list_of(("an object with id and quantity", _is_content)),
    "content_ids": list_of(ID),
    "content_type": one_of("product", "product_group"),
    "num_items": ("a whole number that is not negative", lambda value: is_whole(value) and value >= 0),
    **dict.fromkeys(("order_id", "item_number", "content_name", "content_category", "search_string"), TEXT),
    **dict.fromkeys(("event_source", "lead_event_source"), TEXT),
    "status": ("a string or a boolean", lambda value: is_text(value) or isinstance(value, bool)),
    "customer_segmentation": one_of(
        *(f"{who}_customer_to_{what}" for who in ("new", "existing") for what in SEGMENTS),
        "customer_in_loyalty_program",
    ),
    "delivery_category": DELIVERY,
    "store_data": OBJECT,
}


def check_shape(event: object, position: int) -> dict[str, Any]:
    """Return the event if its keys and types are right; otherwise refuse it by its path."""
    path = f"$['data'][{position}]"
    if not isinstance(event, dict):
        raise bad_parameter(f'param "{path}" must be an object')
    _check_keys(event, EVENT, path)
    for key in REQUIRED:
        if key not in event:
            raise bad_parameter(f'Missing expected key "{key}" on param "{path}"')
    _check_keys(event["user_data"], USER_DATA, f"{path}['user_data']")
    _check_keys(event.get("app_data", {}), APP_DATA, f"{path}['app_data']")
    _check_values(event.get("custom_data", {}), CUSTOM_DATA, f"{path}['custom_data']")
    return event


def _check_keys(found: dict[str, Any], shapes: Mapping[str, Shape], path: str) -> None:
    for key in found:
        if key not in shapes:
            raise bad_parameter(f'Unexpected key "{key}" on param "{path}"')
    _check_values(found, shapes, path)


def _check_values(found: dict[str, Any], shapes: Mapping[str, Shape], path: str) -> None:
    for key, value in found.items():
        if key in shapes and not shapes[key][1](value):
            raise bad_parameter(f"param \"{path}['{key}']\" must be {shapes[key][0]}")
