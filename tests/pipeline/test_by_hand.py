"""What is measured and relied on for speed: the statement by hand, and the order of the marts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import duckdb
import pytest

from benchmarks.made_up_shop import make
from tests.support.dbt_project import NOW, ROOT, dbt

STATEMENT = ROOT / "benchmarks" / "by_hand.sql"
ORDERS = 500


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A made-up shop, and its marts."""
    warehouse = tmp_path_factory.mktemp("shop") / "warehouse.duckdb"
    make(warehouse, ORDERS, datetime.fromisoformat(NOW).replace(tzinfo=None))
    done = dbt(
        warehouse,
        "build",
        "--select",
        "+fct_conversion_outbox",
        "+fct_conversion_events",
        "--exclude-resource-type",
        "unit_test",
        "test",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'").fetchall()
        yield connection


def test_the_statement_by_hand_makes_the_same_events(built: duckdb.DuckDBPyConnection) -> None:
    """Every column of every event of a made-up shop, and no other."""
    built.execute(STATEMENT.read_text(encoding="utf-8")).fetchall()
    events, by_hand = built.table("fct_conversion_events"), built.table("by_hand")
    assert (by_hand.columns, by_hand.types) == (events.columns, events.types)
    made = by_hand.order("event_key").fetchall()
    assert len(made) == ORDERS
    assert made == events.order("event_key").fetchall()


@pytest.mark.parametrize("mart", ["fct_conversion_events", "fct_conversion_outbox"])
def test_the_marts_lie_in_the_order_of_time(built: duckdb.DuckDBPyConnection, mart: str) -> None:
    """Sending reads one span of time after the other, and must not look through the whole file for each."""
    times = [at for (at,) in built.execute(f"select event_at from {mart} order by rowid").fetchall()]
    assert len(times) == ORDERS
    assert times == sorted(times)
