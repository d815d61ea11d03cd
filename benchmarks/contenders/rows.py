"""The due rows as the rivals take them: dictionaries, a thousand at a time, read from the marts' DuckDB file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH: Final = 1_000

# Numbers as the rivals want them: whole seconds, and floats for money, so that nobody converts decimals in Python.
DUE: Final = """
    select
        events.* exclude (event_at, value, contents),
        epoch(events.event_at)::bigint as event_time,
        events.value::double as value,
        [{'id': item.id, 'quantity': item.quantity, 'item_price': item.item_price::double,
          'title': item.title, 'category': item.category} for item in events.contents] as contents
    from fct_conversion_events as events
    inner join fct_conversion_outbox as outbox on outbox.event_key = events.event_key
    where outbox.is_sendable
"""


def batches(warehouse: str, query: str = DUE) -> Iterator[list[dict[str, Any]]]:
    """Read the rows of a query, batch by batch."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        found = connection.execute(query)
        names = [column[0] for column in found.description]
        while rows := found.fetchmany(BATCH):
            yield [dict(zip(names, row, strict=True)) for row in rows]
