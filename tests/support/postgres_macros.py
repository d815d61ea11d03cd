"""Runs the project's SQL macros on a real PostgreSQL server, with the seeds that identifiers are joined with."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from tests.support.macro_renderer import ROOT, SEEDS, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.postgres import Server

TIMEOUT = "60s"  # a plan that computes a value once per mention of its name would take hours


def _fill(
    connection: psycopg.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]
) -> None:
    """Make a table of texts."""
    typed = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in columns)
    connection.execute(sql.SQL("create table {} ({})").format(sql.Identifier(table), typed))
    with connection.cursor().copy(sql.SQL("copy {} from stdin").format(sql.Identifier(table))) as copy:
        for row in rows:
            copy.write_row(row)


def run(
    server: Server, template: str, rows: Sequence[Sequence[str | None]], columns: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Run a `select … from given …` over rows of text, in a database of its own in UTF8 with a locale of ICU.

    The column `position` sorts the rows as they are given.
    """
    url = server.fresh("locale_provider icu icu_locale 'und' encoding 'UTF8'")
    with psycopg.connect(url) as connection:
        for seed in SEEDS:
            with (ROOT / "seeds" / f"{seed}.csv").open(newline="", encoding="utf-8") as file:
                header, *lines = csv.reader(file)
            _fill(connection, seed, header, [[cell or None for cell in line] for line in lines])
        _fill(connection, "given", ("position", *columns), [(f"{n:08}", *row) for n, row in enumerate(rows)])
        connection.execute("analyze")
        connection.execute("select set_config('statement_timeout', %s, true)", [TIMEOUT])
        return connection.execute(render(template, "postgres").encode()).fetchall()
