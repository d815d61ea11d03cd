"""Frames as a destination and the encoder get them: the two marts joined, from a few overrides."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from uploader.events import EVENTS, OUTBOX

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = pl.Schema({**EVENTS, **OUTBOX})
"""The columns of ``fct_conversion_events`` and of ``fct_conversion_outbox``; shared ones stand once."""


def event_frame(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Build one sendable Purchase per row, on the website, with nothing but what every event has.

    A row names only the columns it is about. Times may be ISO 8601 text (an offset is turned into UTC) and
    amounts may be text, so that rows can come from JSON.
    """
    unknown = {name for row in rows for name in row} - set(SCHEMA)
    if unknown:
        raise KeyError(f"not in the contract of the marts: {sorted(unknown)}")
    complete = [_complete({**_plain(1001 + position), **_listed(row), **row}) for position, row in enumerate(rows)]
    return pl.DataFrame(complete, schema=SCHEMA, orient="row")


def _plain(number: int) -> dict[str, Any]:
    """Return an order that Meta would take."""
    return {
        "event_key": f"purchase.{number}",
        "event_name": "Purchase",
        "event_id": f"purchase.{number}",
        "event_at": "2026-11-20T12:00:00",
        "action_source": "website",
        "order_id": str(number),
        "value": "10",
        "currency": "EUR",
        "destination": "meta",
        "is_sendable": True,
        "consent_purpose": "marketing",
        "consent_regime": "opt_in",
        "consent_at_event": "granted",
        "consent_at_as_of": "granted",
        "consent_decided_at": "2026-11-01T09:00:00",
        "is_limited_data_use": False,
        "expires_at": "2026-11-27T11:00:00",
        "as_of": "2026-11-20T13:00:00",
    }


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a person's own e-mail and phone as the lists that hold all of them."""
    return {f"{name}s": [row[name]] for name in ("email_sha256", "phone_digits_sha256") if row.get(name) is not None}


def _complete(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _typed(row.get(name), dtype) for name, dtype in SCHEMA.items()}


def _typed(value: Any, dtype: pl.DataType) -> Any:
    if value is None:
        return None
    if isinstance(dtype, pl.Datetime) and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None)
    if isinstance(dtype, pl.Decimal) and not isinstance(value, Decimal):
        return Decimal(str(value))
    if isinstance(dtype, pl.List):
        return [_typed(element, dtype.inner) for element in value]
    if isinstance(dtype, pl.Struct):
        return {field.name: _typed(value.get(field.name), field.dtype) for field in dtype.fields}
    return value
