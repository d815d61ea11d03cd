"""Read what the warehouse knows about one order: its raw state, its session, its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uploader.warehouse.duckdb import Connection, first_row, frame, quoted, table_columns
from uploader.warehouse.outbox import EVENTS_TABLE, ORDERS_WITHOUT_EVENT, OUTBOX_TABLE

if TYPE_CHECKING:
    import polars as pl

    from uploader.warehouse.profile import Profile

_ORDERS: Final = "int_orders__latest"
_RECORDS: Final = "int_events__identified"
_RECORDS_WITHOUT_EVENT: Final = "audit_records_without_event"
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
)


def events_of(connection: Connection, profile: Profile, key: str) -> pl.DataFrame:
    """Return the events that an order id, event id, event key or the id of another record names.

    Columns: ``event_key``, ``order_id``, and of the record behind it ``source_table``, ``source_id``, ``session_id``
    and ``session_started_at``, NULL where the warehouse does not have them any more.
    """
    events, records = quoted(profile.schema, EVENTS_TABLE), quoted(profile.schema, _RECORDS)
    present = table_columns(connection, profile.schema, _RECORDS)
    if not present:
        records = "(select null as event_key, null as source_table, null as source_id, null as session_id, "
        records += "cast(null as timestamp) as session_started_at)"
    return frame(
        connection,
        f"""
        select distinct events.event_key, events.order_id, records.source_table, records.source_id,
               records.session_id, records.session_started_at
        from {events} as events
        left join {records} as records on records.event_key = events.event_key
        where $1 in (events.order_id, events.event_id, events.event_key, records.source_id)
        order by 1
        """,
        [key],
    )


def decisions_of(connection: Connection, profile: Profile, event_key: str) -> pl.DataFrame:
    """Return ``destination`` and ``event_key`` of an event's outbox rows."""
    table = quoted(profile.schema, OUTBOX_TABLE)
    return frame(connection, f"select destination, event_key from {table} where event_key = ? order by 1", [event_key])


def order_state(connection: Connection, profile: Profile, order_id: str) -> dict[str, Any] | None:
    """Return the raw state of an order, without personal data; None where there is no such order."""
    present = table_columns(connection, profile.schema, _ORDERS)
    columns = ", ".join(name for name in _STATE if name in present)
    if not columns:
        return None
    table = quoted(profile.schema, _ORDERS)
    rows = frame(connection, f"select {columns} from {table} where order_id = ? limit 1", [order_id]).to_dicts()
    return rows[0] if rows else None


def reason_without_event(connection: Connection, profile: Profile, key: str) -> str | None:
    """Return why an order, or another record of this id, makes no event, or None; of other records with their table."""
    audits = {
        ORDERS_WITHOUT_EVENT: "select reason from {} where order_id = $1",
        _RECORDS_WITHOUT_EVENT: "select reason || ' (' || source_table || ')' as reason from {} where source_id = $1",
    }
    there = {name: query for name, query in audits.items() if table_columns(connection, profile.schema, name)}
    if not there:
        return None
    reasons = " union ".join(query.format(quoted(profile.schema, name)) for name, query in there.items())
    found = first_row(connection, f"select string_agg(reason, ', ' order by reason) from ({reasons})", [key])
    return str(found[0]) if found and found[0] else None
