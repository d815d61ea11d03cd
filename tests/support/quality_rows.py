"""Batches for the gate's tests: good rows, in which a test changes what it is about."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from uploader.events import EVENTS, OUTBOX

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SCHEMA = pl.Schema({**EVENTS, **OUTBOX})
WINDOW = pl.Schema(
    {
        name: SCHEMA[name]
        for name in (
            *("destination", "event_key", "event_name", "event_id", "event_at", "is_sendable", "hold_reason"),
            *("value", "currency", "external_id_sha256"),
        )
    }
    | {"has_pixel_duplicate": pl.Boolean()}
)
BANDS = pl.Schema({"currency": pl.String, "median": pl.Float64, "rows": pl.Int64})


def sha256(text: str) -> str:
    """Hash a text as the models do."""
    return hashlib.sha256(text.encode()).hexdigest()


def good_row(number: int, **changed: Any) -> dict[str, Any]:
    """Return one sendable row of an hour-long series of orders, each of its own customer."""
    naive = NOW.replace(tzinfo=None)
    return {
        "event_key": f"purchase.{number}",
        "event_name": "Purchase",
        "event_id": f"purchase.{number}",
        "event_at": naive - timedelta(hours=1) + timedelta(seconds=number),
        "action_source": "website",
        "order_id": str(number),
        "value": Decimal("25.00"),
        "currency": "EUR",
        "email_sha256": sha256(f"{number}@example.com"),
        "external_id_sha256": sha256(str(number)),
        "destination": "meta",
        "is_sendable": True,
        "consent_purpose": "marketing",
        "consent_regime": "opt_in",
        "consent_at_event": "granted",
        "consent_at_as_of": "granted",
        "is_limited_data_use": False,
        "expires_at": naive + timedelta(days=6),
        "as_of": naive,
        "has_pixel_duplicate": False,
        **changed,
    }


def due(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return rows as the gate gets them: every column of both marts."""
    filled = [{name: row.get(name) for name in SCHEMA} for row in rows]
    return pl.DataFrame(filled, schema=SCHEMA)


def window(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return rows as the window holds them; a row with a ``hold_reason`` is not sendable."""
    filled = [
        {**{name: row.get(name) for name in WINDOW}, "is_sendable": row.get("hold_reason") is None} for row in rows
    ]
    return pl.DataFrame(filled, schema=WINDOW)


def bands(*rows: tuple[str, float | None, int]) -> pl.DataFrame:
    """Return the history of currencies: code, median, number of rows."""
    return pl.DataFrame(list(rows), schema=BANDS, orient="row")
