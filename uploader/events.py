"""The contract of the marts as Polars schemas: the one list of column names in Python.

The dbt side of the same contract is ``models/marts/fct_conversion_events.yml`` and
``fct_conversion_outbox.yml``; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import polars as pl

_Columns: TypeAlias = Mapping[str, pl.DataType | type[pl.DataType]]

MONEY: Final = pl.Decimal(18, 4)
TIME: Final = pl.Datetime("us")

CONTENT: Final[pl.DataType] = pl.Struct(
    {
        "id": pl.String,
        "quantity": pl.Int64,
        "item_price": MONEY,
        "title": pl.String,
        "category": pl.String,
    }
)
"""One order line."""

_EVENTS: Final[_Columns] = {
    "event_key": pl.String,
    "event_name": pl.String,
    "event_id": pl.String,
    "event_at": TIME,
    "action_source": pl.String,
    "order_id": pl.String,
    "value": MONEY,
    "currency": pl.String,
    "contents": pl.List(CONTENT),
    "content_ids": pl.List(pl.String),
    "content_type": pl.String,
    "num_items": pl.Int64,
    "content_name": pl.String,
    "content_category": pl.String,
    "search_string": pl.String,
    "registration_status": pl.String,
    "predicted_ltv": MONEY,
    "net_revenue": MONEY,
    "customer_segmentation": pl.String,
    "lead_id": pl.String,
    "lead_event_source": pl.String,
    "event_source": pl.String,
    "subscription_id": pl.String,
    "app_info": pl.List(pl.String),
    "advertiser_tracking_enabled": pl.Boolean,
    "application_tracking_enabled": pl.Boolean,
    "madid": pl.String,
    "anon_id": pl.String,
    "vendor_id": pl.String,
    "install_referrer": pl.String,
    "installer_package": pl.String,
    "campaign_ids": pl.String,
    "messaging_channel": pl.String,
    "page_id": pl.String,
    "page_scoped_user_id": pl.String,
    "whatsapp_business_account_id": pl.String,
    "ctwa_clid": pl.String,
    "instagram_business_account_id": pl.String,
    "ig_sid": pl.String,
    "event_source_url": pl.String,
    "referrer_url": pl.String,
    "email_sha256": pl.String,
    "email_gmail_sha256": pl.String,
    "email_microsoft_sha256": pl.String,
    "email_reddit_sha256": pl.String,
    "email_sha256s": pl.List(pl.String),
    "phone_digits_sha256": pl.String,
    "phone_e164_sha256": pl.String,
    "phone_digits_sha256s": pl.List(pl.String),
    "first_name_sha256": pl.String,
    "last_name_sha256": pl.String,
    "city_sha256": pl.String,
    "region_sha256": pl.String,
    "postal_code_sha256": pl.String,
    "country_sha256": pl.String,
    "date_of_birth_sha256": pl.String,
    "gender_sha256": pl.String,
    "external_id_sha256": pl.String,
    "client_ip": pl.String,
    "user_agent": pl.String,
    "fbp": pl.String,
    "fbc": pl.String,
    "ga_client_id": pl.String,
    "gclid": pl.String,
    "gbraid": pl.String,
    "wbraid": pl.String,
    "ttclid": pl.String,
    "sc_cid": pl.String,
    "epik": pl.String,
    "rdt_cid": pl.String,
    "li_fat_id": pl.String,
    "msclkid": pl.String,
    "twclid": pl.String,
    "country_code": pl.String,
    "region_code": pl.String,
}
EVENTS: Final = pl.Schema(_EVENTS)
"""``fct_conversion_events``: one row per event. ``event_key`` is never NULL and names the row, even one
without a usable ``event_id``. Times are UTC without a zone; money is in major units."""

_OUTBOX: Final[_Columns] = {
    "event_key": pl.String,
    "event_name": pl.String,
    "event_id": pl.String,
    "event_at": TIME,
    "destination": pl.String,
    "is_sendable": pl.Boolean,
    "hold_reason": pl.String,
    "consent_purpose": pl.String,
    "consent_regime": pl.String,
    "consent_at_event": pl.String,
    "consent_at_as_of": pl.String,
    "consent_decided_at": TIME,
    "is_limited_data_use": pl.Boolean,
    "expires_at": TIME,
    "as_of": TIME,
    "send_after": TIME,
    "withheld_fields": pl.String,
}
OUTBOX: Final = pl.Schema(_OUTBOX)
"""``fct_conversion_outbox``: one row per event × destination. ``hold_reason`` is NULL exactly when
``is_sendable``. ``consent_at_event`` and ``consent_at_as_of`` are ``granted``, ``denied`` or NULL (no
decision); ``consent_decided_at`` is the time of the decision that was relied on; ``expires_at`` is when
the destination stops accepting the event; ``send_after`` is when its hold time ends. ``withheld_fields`` names columns
of `EVENTS` that must not leave, with a blank before and after each, or is NULL."""

IDENTIFIERS: Final = tuple(name for name in EVENTS if name.endswith("_sha256"))
"""The hashed identifiers: lower-case hexadecimal SHA-256, or NULL. Columns that end in ``_sha256s`` list several."""
