"""The contract of the marts stands twice, for dbt and for Python: both must say the same."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
import yaml

from tests.support.repository import ROOT, text
from uploader.events import EVENTS, IDENTIFIERS, OUTBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTRACTS = {"fct_conversion_events": EVENTS, "fct_conversion_outbox": OUTBOX}


def declared(model: str) -> list[dict[str, Any]]:
    """Return the columns of a mart as its property file declares them."""
    content = yaml.safe_load(text(f"models/marts/{model}.yml"))
    columns: list[dict[str, Any]] = content["models"][0]["columns"]
    return columns


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse that knows what its types are in Polars."""
    with duckdb.connect() as opened:
        yield opened


def as_polars(connection: duckdb.DuckDBPyConnection, data_type: str) -> pl.DataType:
    """Turn a warehouse type into the one that a frame of it has."""
    row = connection.sql(f"select cast(null as {data_type}) as value").to_arrow_table()
    return pl.DataFrame(row).schema["value"]


@pytest.mark.parametrize("model", CONTRACTS)
def test_both_sides_name_the_same_columns_in_the_same_order(model: str) -> None:
    """A column that only one side knows would be missing in a payload, or stop every run."""
    assert [column["name"] for column in declared(model)] == list(CONTRACTS[model])


@pytest.mark.parametrize("model", CONTRACTS)
def test_both_sides_give_the_same_types(model: str, connection: duckdb.DuckDBPyConnection) -> None:
    """The types that dbt enforces are those that destinations are written for."""
    types = {column["name"]: as_polars(connection, column["data_type"]) for column in declared(model)}
    assert types == dict(CONTRACTS[model])


@pytest.mark.parametrize("model", CONTRACTS)
def test_every_column_is_described(model: str) -> None:
    """Others depend on the marts and read their documentation."""
    assert [column["name"] for column in declared(model) if not column.get("description")] == []


def test_identifiers_are_the_hashed_columns() -> None:
    """The list that the gate goes by has every hash, and nothing in clear."""
    assert set(IDENTIFIERS) == {
        column["name"] for column in declared("fct_conversion_events") if column["name"].endswith("_sha256")
    }


def test_the_shared_columns_have_one_type() -> None:
    """Both marts are joined into one frame, in which a name stands once."""
    shared = set(EVENTS) & set(OUTBOX)
    assert shared == {"event_key", "event_name", "event_id", "event_at"}
    assert {name: EVENTS[name] for name in shared} == {name: OUTBOX[name] for name in shared}


def test_what_a_person_is_found_by_is_taken_when_they_are_forgotten() -> None:
    """Every hash, and everything personal in clear, is in the list that erasure goes by."""
    lists = text("macros/events/personal_columns.sql") + text("macros/events/click_ids.sql")
    taken = set(re.findall(r"'(\w+)'", lists))
    with (ROOT / "seeds" / "field_groups.csv").open(encoding="utf-8") as file:
        clear = {row["column_name"] for row in csv.DictReader(file) if row["field"] == "clear"}
    assert {*IDENTIFIERS, *clear} - taken == set()
