"""Read what the warehouse knows about one order: its raw state, its session, its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uploader.warehouse.duckdb import Connection, first_row, frame, quoted, table_columns
from uploader.warehouse.outbox import EVENTS_TABLE, ORDERS_WITHOUT_EVENT, OUTBOX_TABLE

if TYPE_CHECKING:
    import polars as pl

    from uploader.warehouse.profile import Profile

_ORDERS: Final = "int_orders__sessionized"
_STATE: Final = (
    "order_id",
    "financial_status",
    "channel",
    "created_at",
    "paid_at",
    "cancelled_at",
    "is_cancelled",
    "updated_at",
    "total",
    "currency",
    "is_test",
    "session_id",
    "session_started_at",
)


def events_of(connection: Connection, profile: Profile, key: str) -> pl.DataFrame:
    """Return ``event_key`` and ``order_id`` of the events that an order id, event id or event key names."""
    events = quoted(profile.schema, EVENTS_TABLE)
    return frame(
        connection,
        f"select distinct event_key, order_id from {events} "
        "where order_id = $1 or event_id = $1 or event_key = $1 order by 1",
        [key],
    )


def decisions_of(connection: Connection, profile: Profile, event_key: str) -> pl.DataFrame:
    """Return ``destination`` and ``event_key`` of an event's outbox rows."""
    table = quoted(profile.schema, OUTBOX_TABLE)
    return frame(connection, f"select destination, event_key from {table} where event_key = ? order by 1", [event_key])


def order_state(connection: Connection, profile: Profile, order_id: str) -> dict[str, Any] | None:
    """Return the raw state of an order and its session, without personal data; None where there is no such order."""
    present = table_columns(connection, profile.schema, _ORDERS)
    columns = ", ".join(name for name in _STATE if name in present)
    if not columns:
        return None
    table = quoted(profile.schema, _ORDERS)
    rows = frame(connection, f"select {columns} from {table} where order_id = ? limit 1", [order_id]).to_dicts()
    return rows[0] if rows else None


def reason_without_event(connection: Connection, profile: Profile, order_id: str) -> str | None:
    """Return why an order makes no event, or None."""
    if not table_columns(connection, profile.schema, ORDERS_WITHOUT_EVENT):
        return None
    table = quoted(profile.schema, ORDERS_WITHOUT_EVENT)
    found = first_row(connection, f"select reason from {table} where order_id = ?", [order_id])
    return str(found[0]) if found else None
