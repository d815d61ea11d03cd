"""The macros on a real PostgreSQL server: identifiers, times and dates, the same as on DuckDB."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from tests.support import postgres_macros
from tests.support.identifiers import SQL, Raw, normalize, unescaped
from tests.support.macro_renderer import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.postgres import Server

TIMES = {
    "2026-01-02T03:04:05Z": "2026-01-02 03:04:05",
    "2026-01-02 03:04:05": "2026-01-02 03:04:05",
    "2026-01-02T03:04:05.678901": "2026-01-02 03:04:05.678901",
    "2026-01-02T03:04:05+02:00": "2026-01-02 01:04:05",
    "2026-01-02 03:04:05 -0500": "2026-01-02 08:04:05",
    "2026-01-02 03:04:05-05:30": "2026-01-02 08:34:05",
    "2024-02-29": "2024-02-29 00:00:00",
    "2026-1-2": "2026-01-02 00:00:00",
    **dict.fromkeys(["2026-02-29", "2026-02-30 00:00:00", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00"]),
    **dict.fromkeys(["0000-01-01", "2026-01-02 25:00:00", "2026-01-02 03:61:00", "2026-01-02 03:04:61"]),
    **dict.fromkeys(["infinity", "now", "epoch", "1700000000", "02/01/2026", "soon", "2026-01-02 soon", "", None]),
}
DATES = {
    "2026-01-02": "2026-01-02",
    "2000-02-29": "2000-02-29",
    "0001-01-01": "0001-01-01",
    **dict.fromkeys(
        ["1900-02-29", "2026-06-31", "2026-00-01", "2026-01-32", "0000-01-01", "2026-01", "today", "", None]
    ),
}


def _read(path: str) -> list[dict[str, str]]:
    with (ROOT / path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_times_are_read_in_utc(postgres: Server) -> None:
    """An offset is honoured, and no text, however wrong, stops the query: PostgreSQL 15 has no cast that may fail."""
    query = "select cast({{ try_timestamp('given.e') }} as text) from given order by given.position"
    found = postgres_macros.run(postgres, query, [(text,) for text in TIMES], ("e",))
    assert dict(zip(TIMES, [moment for (moment,) in found], strict=True)) == TIMES


def test_dates_are_days_of_the_calendar(postgres: Server) -> None:
    """A day that its month does not have is NULL, in leap years too."""
    query = "select cast({{ try_date('given.e') }} as text) from given order by given.position"
    found = postgres_macros.run(postgres, query, [(text,) for text in DATES], ("e",))
    assert dict(zip(DATES, [day for (day,) in found], strict=True)) == DATES


@pytest.mark.parametrize("table", ["seeds/identifier_vectors.csv", "tests/support/international_values.csv"])
def test_identifiers_are_those_of_duckdb(table: str, postgres: Server, figure: Callable[[str, str], None]) -> None:
    """Normal form and hash of every vector are equal on both, with nothing left out."""
    kinds = {"email_gmail", "email_microsoft", "email_reddit", "phone_e164"}
    values = [
        Raw(row["kind"], unescaped(row["raw"]), row["country"] or None)
        for row in _read(table)
        if row["kind"] not in kinds
    ]
    theirs = postgres_macros.run(postgres, SQL, values, Raw._fields)
    different = [
        (raw, ours, other) for raw, ours, other in zip(values, normalize(values), theirs, strict=True) if ours != other
    ]
    figure(f"identifiers on PostgreSQL, {table}", f"{len(values)} values, {len(different)} different from DuckDB")
    assert different == []


def test_the_vectors_hold_on_the_server(postgres: Server) -> None:
    """The query that dbt runs on the warehouse finds no vector with another hash, of any kind."""
    query = (ROOT / "tests/sql/macros/normalizers_match_vectors.sql").read_text(encoding="utf-8")
    query = query.replace("ref('identifier_vectors')", "ref('given')")
    vectors = _read("seeds/identifier_vectors.csv")
    columns = tuple(vectors[0])
    rows = [[row[column] or None for column in columns] for row in vectors]
    assert postgres_macros.run(postgres, query, rows, columns) == run(query, rows, columns) == []
