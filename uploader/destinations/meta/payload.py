"""One event as Meta wants it: which key takes which column, and for which events.

Pages below https://developers.facebook.com/documentation/ads-commerce/conversions-api/, as of 2026-09-12:
parameters/server-event, parameters/custom-data, conversion-leads-integration/payload-specification,
business-messaging, app-events; as of 2026-09-08 parameters/customer-information-parameters.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import polars as pl

from uploader.destinations.interface import Body, Items, Listed

# https://developers.facebook.com/docs/marketing-api/overview/data-processing-options, read 2026-09-12. The
# server-event page names California alone; this page is newer.
_LDU_STATES: Final = MappingProxyType(
    {"CA": 1000, "CO": 1001, "CT": 1002, "FL": 1003, "OR": 1004, "TX": 1005, "MT": 1006}
    | {"DE": 1007, "NE": 1008, "NH": 1009, "NJ": 1010, "MN": 1011, "MD": 1012, "RI": 1013}
)
_LDU_US: Final = 1
_LDU_GEOLOCATE: Final = 0

# "15-17 digits", and a number in JSON: one that begins with 0 would lose it. An invalid id refuses the whole request.
_LEAD_ID: Final = r"^([1-9][0-9]{14,16})$"


def body(event_name: pl.Expr) -> Body:
    """See `Destination.body`; keys in the order of Meta's own samples."""
    return {
        "event_name": event_name,
        "event_time": pl.col("event_at").dt.epoch("s"),
        "event_id": pl.col("event_id"),
        "action_source": pl.col("action_source"),
        "event_source_url": _only("event_source_url", "action_source", "website"),
        "referrer_url": _only("referrer_url", "action_source", "website"),
        "messaging_channel": _only("messaging_channel", "action_source", "business_messaging"),
        "user_data": _user_data(),
        "custom_data": _custom_data(),
        "app_data": _app_data(),
        **_limited_data_use(),
    }


def _only(column: str, about: str, *values: str) -> pl.Expr:
    """Return a column where another one has one of these values, NULL elsewhere."""
    return pl.when(pl.col(about).is_in(values)).then(pl.col(column))


def _user_data() -> Body:
    """Hashed keys go as lists, as Meta's own SDK sends them; the others are scalars and go in clear."""
    listed = {"em": "email_sha256s", "ph": "phone_digits_sha256s"}
    hashed = {
        "fn": "first_name_sha256",
        "ln": "last_name_sha256",
        "db": "date_of_birth_sha256",
        "ge": "gender_sha256",
        "ct": "city_sha256",
        "st": "region_sha256",
        "zp": "postal_code_sha256",
        "country": "country_sha256",
        "external_id": "external_id_sha256",
    }
    clear = {
        "client_ip_address": "client_ip",
        "client_user_agent": "user_agent",
        "fbc": "fbc",
        "fbp": "fbp",
        "subscription_id": "subscription_id",
    }
    conversation = (
        *("page_id", "page_scoped_user_id", "whatsapp_business_account_id", "ctwa_clid"),
        *("instagram_business_account_id", "ig_sid"),
    )
    return {
        **{key: pl.col(column) for key, column in listed.items()},
        **{key: Listed(pl.col(column)) for key, column in hashed.items()},
        **{key: pl.col(column) for key, column in clear.items()},
        "lead_id": pl.col("lead_id").str.extract(_LEAD_ID).cast(pl.Int64),
        "madid": pl.col("madid"),
        "anon_id": _only("anon_id", "action_source", "app"),
        **{key: _only(key, "action_source", "business_messaging") for key in conversation},
    }


def _custom_data() -> Body:
    """``customer_segmentation`` is listed as a parameter of the event, and stands here in the sample beside that list.

    An unknown key on the event refuses the whole request and one in here is a property of the shop's own, so it goes
    here. ``num_items`` is documented with InitiateCheckout; a Purchase has always carried it.
    """
    return {
        "value": pl.col("value"),
        "currency": pl.col("currency"),
        "predicted_ltv": pl.col("predicted_ltv"),
        "net_revenue": pl.col("net_revenue"),
        "order_id": pl.col("order_id"),
        "contents": Items("contents", {key: key for key in ("id", "quantity", "item_price", "title", "category")}),
        "content_ids": pl.col("content_ids"),
        "content_type": pl.col("content_type"),
        "content_name": pl.col("content_name"),
        "content_category": pl.col("content_category"),
        "num_items": _only("num_items", "event_name", "InitiateCheckout", "Purchase"),
        "search_string": _only("search_string", "event_name", "Search"),
        "status": _only("registration_status", "event_name", "CompleteRegistration"),
        "customer_segmentation": pl.col("customer_segmentation"),
        "event_source": pl.col("event_source"),
        "lead_event_source": pl.col("lead_event_source"),
    }


def _app_data() -> Body:
    """Write flags as 0 or 1, and keep the place of each element of ``extinfo``: a missing one is an empty text."""
    flags = ("advertiser_tracking_enabled", "application_tracking_enabled")
    texts = ("campaign_ids", "install_referrer", "installer_package", "vendor_id")
    return {
        **{key: _only(key, "action_source", "app").cast(pl.Int64) for key in flags},
        "extinfo": _only("app_info", "action_source", "app").list.eval(pl.element().fill_null("")),
        **{key: _only(key, "action_source", "app") for key in texts},
    }


def _limited_data_use() -> Body:
    """Country and state go together: 0 lets Meta find out from the IP address."""
    limited = pl.col("is_limited_data_use")
    state = (
        pl.when(pl.col("country_code").str.to_uppercase() == "US")
        .then(pl.col("region_code").str.to_uppercase())
        .replace_strict(dict(_LDU_STATES), default=_LDU_GEOLOCATE, return_dtype=pl.Int64)
    )
    country = pl.when(state == _LDU_GEOLOCATE).then(_LDU_GEOLOCATE).otherwise(_LDU_US)
    return {
        "data_processing_options": Listed(pl.when(limited).then(pl.lit("LDU"))),
        "data_processing_options_country": pl.when(limited).then(country),
        "data_processing_options_state": pl.when(limited).then(state),
    }
