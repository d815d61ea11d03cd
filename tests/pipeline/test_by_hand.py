"""The statement that the models' speed is measured against makes what they make."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from benchmarks.made_up_shop import make
from tests.support.dbt_project import NOW, ROOT, dbt

STATEMENT = ROOT / "benchmarks" / "by_hand.sql"


def test_the_statement_by_hand_makes_the_same_events(tmp_path: Path) -> None:
    """Every column of every event of a made-up shop, and no other."""
    warehouse = tmp_path / "warehouse.duckdb"
    make(warehouse, 500, datetime.fromisoformat(NOW).replace(tzinfo=None))
    done = dbt(warehouse, "build", "--select", "+fct_conversion_events", "--exclude-resource-type", "unit_test", "test")
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(STATEMENT.read_text(encoding="utf-8"))
        events, by_hand = connection.table("fct_conversion_events"), connection.table("by_hand")
        assert (by_hand.columns, by_hand.types) == (events.columns, events.types)
        one, other = connection.sql("from by_hand order by event_key"), events.order("event_key")
        assert len(one.fetchall()) == 500
        assert one.fetchall() == other.fetchall()
