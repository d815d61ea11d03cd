"""The window that delivery looks at, cut into spans of time that each hold a bounded number of rows.

Keys of a million rows take a gigabyte, so they are read a span after the other. What cannot be judged by the rows of
one span alone, ids that come twice and rows without a name or a time, is looked for in the whole window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.events import OUTBOX
from uploader.warehouse.duckdb import Connection, first_row, frame, quoted
from uploader.warehouse.outbox import OUTBOX_TABLE
from uploader.warehouse.spans import IN_WINDOW, WHOLE, Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from uploader.warehouse.profile import Profile
    from uploader.warehouse.spans import Place

SPAN_ROWS: Final = 70_000
"""How many rows a span may have: where millions are due, these are what a run needs most memory for."""
_ROWS_PER_SEARCH: Final = 1_000_000
"""Among how many rows repeated ids are looked for at a time."""
STRAYS: Final = pl.Schema(
    {
        name: OUTBOX[name]
        for name in ("destination", "event_key", "event_name", "event_id", "event_at", "expires_at", "is_sendable")
    }
)
"""What is looked for in the whole window; see `read_strays`."""
_IDS: Final = ("outbox.event_name, outbox.event_id", "outbox.event_key")
_MINUTES: Final = """
    select date_trunc('minute', outbox.event_at) as minute, count(*) as rows
    from {outbox} as outbox where {window} group by 1 order by 1 nulls last
"""
_INSIDE: Final = """
    select event_at, event_key from (
        select outbox.event_at, outbox.event_key,
               row_number() over (order by outbox.event_at, outbox.event_key) as place
        from {outbox} as outbox
        where {window} and date_trunc('minute', outbox.event_at) is not distinct from $minute::timestamp
    ) where (place - 1) % $most = 0 order by place
"""


def read_spans(connection: Connection, profile: Profile, since: datetime, most: int = SPAN_ROWS) -> list[Span]:
    """Return spans that hold the window, as `uploader.warehouse.outbox.read_keys` reads it, in the order of time.

    Each has at most ``most`` rows (but for rows that share key and time), and there is at least one.
    """
    named = {"outbox": quoted(profile.schema, OUTBOX_TABLE), "window": IN_WINDOW}
    begins = list["Place"]()
    filled = 0
    for minute, rows in frame(connection, _MINUTES.format(**named), {"since": since}).rows():
        # What has no time stands apart: it is found by another condition.
        is_first = not begins or (minute is None and begins[-1][0] is not None)
        if rows > most:
            inside = frame(connection, _INSIDE.format(**named), {"since": since, "minute": minute, "most": most})
            begins += [(minute, ""), *inside.rows()[1:]]
            filled = rows % most or most
        elif is_first or filled + rows > most:
            begins.append((minute, ""))
            filled = rows
        else:
            filled += rows
    if not begins:
        return [WHOLE]
    return [Span(begin, end) for begin, end in zip(begins, [*begins[1:], None], strict=True)]


def read_strays(connection: Connection, profile: Profile, since: datetime, spans: Sequence[Span]) -> pl.DataFrame:
    """Return the rows of the window that cannot be judged by themselves; columns: `STRAYS`.

    These are all rows that share their event name and id, or their ``event_key``, with another row of their
    destination, and those that may be sent although they lack an id or a time. ``spans``, as of `read_spans`, save
    looking into what lies before the window.
    """
    outbox, begin = quoted(profile.schema, OUTBOX_TABLE), spans[0].begin
    values: dict[str, Any] = {"since": since}
    window = IN_WINDOW
    if begin is not None and begin[0] is not None:
        values["begin"] = begin[0]
        window += " and (outbox.event_at >= $begin or outbox.event_at is null)"
    found = first_row(connection, f"select count(*) from {outbox} as outbox where {window}", values)
    searches = 1 + (found[0] if found else 0) // _ROWS_PER_SEARCH
    columns = ", ".join(f"outbox.{name}" for name in STRAYS)
    frames = [
        frame(
            connection,
            f"select {columns} from {outbox} as outbox where {window} and outbox.is_sendable "
            "and (outbox.event_id is null or outbox.event_at is null or outbox.expires_at is null)",
            values,
        )
    ]
    for identity in _IDS:
        hashed = f"hash(outbox.destination, {identity})"
        for number in range(searches):
            numbered = f"{window} and outbox.event_id is not null and {hashed} % {searches} = {number}"
            again = f"select {hashed} from {outbox} as outbox where {numbered} group by 1 having count(*) > 1"
            query = f"select {columns} from {outbox} as outbox where {numbered} and {hashed} in ({again})"
            frames.append(frame(connection, query, values))
    order = ["destination", "event_at", "event_key"]
    return pl.concat(frames).unique().sort(order, nulls_last=True)
