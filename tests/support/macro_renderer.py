"""Renders the project's SQL macros for any warehouse without dbt, and runs the result in DuckDB.

A macro is rendered as dbt would for the adapter asked for; sqlglot translates the SQL to DuckDB. That is a model of
PostgreSQL and Spark, not the real thing: it shows that a body exists, parses in its dialect and means the same.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import jinja2
import pytz
import sqlglot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).resolve().parents[2]
NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


class MacroError(Exception):
    """What dbt would show as a compilation error."""


class Adapter:
    """Stands for dbt's adapter object: finds the body of a macro by the adapter's name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def type(self) -> str:
        """See dbt's `adapter.type`."""
        return self._name

    @jinja2.pass_context
    def dispatch(self, context: jinja2.runtime.Context, macro: str, _project: str) -> Callable[..., str]:
        """See dbt's `adapter.dispatch`."""
        body = context.resolve(f"{self._name}__{macro}")
        return context.resolve(f"default__{macro}") if isinstance(body, jinja2.Undefined) else body


def _raise(message: str) -> None:
    raise MacroError(message)


@cache
def _sources() -> str:
    folders = ("adapters", "normalize", "events")
    files = [path for folder in folders for path in sorted((ROOT / "macros" / folder).glob("*.sql"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)
