"""What is measured upon, made in a process of its own: `python -m benchmarks.fixtures WHAT ARGUMENTS`.

marts FILE EVENTS AS_OF [RECENT]   marts with that many events, the last RECENT of them in the window
shop FILE ORDERS END               raw tables
more FILE ORDERS END FIRST         further orders for them
also FILE DESTINATION              another destination for all of their events
shuffle FILE                       their ids become such as stand in no order
forget FILE                        the warehouse's copy of the sent log leaves
sent FOLDER                        everything in the marts was sent: sent log and copy
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import duckdb

from benchmarks import made_up_shop


def forget(warehouse: Path) -> None:
    """Drop the copy of the sent log."""
    with duckdb.connect(str(warehouse)) as connection:
        for table in ("sent_log", "sent_log_meta"):
            connection.execute(f"drop table if exists {table}")


def more(shop: Path, orders: int, end: datetime, first: int) -> None:
    """Add orders to raw tables."""
    with duckdb.connect(str(shop)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        made_up_shop.add(connection, orders, end, first)


def main(what: str, path: str, *rest: str) -> None:
    """Make one thing; only what that needs is imported, for most of these processes do very little."""
    if what == "marts":
        from benchmarks import made_up_marts

        recent = int(rest[2]) if len(rest) > 2 else None
        made_up_marts.write(Path(path), int(rest[0]), datetime.fromisoformat(rest[1]), recent=recent)
    elif what == "also":
        from benchmarks import made_up_marts

        made_up_marts.also(Path(path), rest[0])
    elif what == "shuffle":
        from benchmarks import made_up_marts

        made_up_marts.shuffle(Path(path))
    elif what == "sent":
        from benchmarks import made_up_log

        made_up_log.fill(Path(path))
    elif what == "shop":
        made_up_shop.make(Path(path), int(rest[0]), datetime.fromisoformat(rest[1]))
    elif what == "more":
        more(Path(path), int(rest[0]), datetime.fromisoformat(rest[1]), int(rest[2]))
    elif what == "forget":
        forget(Path(path))
    else:
        raise SystemExit(f"No such thing: {what}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
