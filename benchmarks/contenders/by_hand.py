"""One hand-written statement over the raw tables: `python -m benchmarks.contenders.by_hand WAREHOUSE FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from benchmarks.contenders.timing import Stopwatch


def main(warehouse: str, file: str) -> None:
    """Run it as dbt would: in the same zone, with all cores."""
    statement, watch = Path(file).read_text(encoding="utf-8"), Stopwatch()
    with duckdb.connect(warehouse) as connection:
        connection.execute("set TimeZone = 'UTC'")
        with watch.running():
            connection.execute(statement).fetchall()
    watch.tell()


if __name__ == "__main__":
    main(*sys.argv[1:])
