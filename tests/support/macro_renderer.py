"""Renders the project's SQL macros for any warehouse without dbt, and runs the result in DuckDB.

A macro is rendered as dbt would for the adapter asked for, and sqlglot translates the SQL to DuckDB. That is a model
of PostgreSQL and Spark, not the real thing: it shows that a body exists, parses in its dialect and means the same.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import jinja2
import pyarrow as pa
import pytz
import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("adapters", "normalize", "events")
RUN_STARTED_AT = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
SEEDS = ("countries", "country_names", "regions")

# Functions that sqlglot leaves as they are, because it does not know what DuckDB calls them.
POSTGRES_IN_DUCKDB = """
create macro convert_to(value, encoding) as value;
create macro get(items, place) as list_extract(items, place + 1);
create macro regexp_match(value, pattern) as
    case when regexp_matches(value, pattern) then [regexp_extract(value, pattern, 1)] end;
"""


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


class ReturnedError(Exception):
    """Carries what a macro gives with `return` out of its text."""


def _return(value: object) -> None:
    raise ReturnedError(value)


def _returning(macro: jinja2.runtime.Macro) -> Callable[..., Any]:
    """Let a macro give what it returns, as dbt does: a list stays one."""

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except ReturnedError as returned:
            return returned.args[0]

    return call


def _raise_compiler_error(message: str) -> None:
    raise MacroError(message)


@cache
def _sources() -> str:
    files = [path for folder in FOLDERS for path in sorted((ROOT / "macros" / folder).glob("*.sql"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@cache
def _environment(
    adapter: str, settings: frozenset[tuple[str, Any]], environ: frozenset[tuple[str, str]]
) -> jinja2.Environment:
    """Give an environment that knows what dbt gives to macros, and every macro of the project."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"])  # noqa: S701 - SQL
    environment.globals |= {
        "adapter": Adapter(adapter),
        "env_var": lambda name, default="": dict(environ).get(name, default),
        "exceptions": SimpleNamespace(raise_compiler_error=_raise_compiler_error),
        "modules": SimpleNamespace(datetime=dt, pytz=pytz),
        "ref": lambda name: name,
        "return": _return,
        "run_started_at": RUN_STARTED_AT,
        "var": lambda name, default="": dict(settings).get(name, default),
    }
    macros = vars(environment.from_string(_sources()).module)
    found = {name: macro for name, macro in macros.items() if isinstance(macro, jinja2.runtime.Macro)}
    environment.globals |= {name: _returning(macro) for name, macro in found.items()}
    return environment


def render(
    text: str, adapter: str = "duckdb", *, settings: dict[str, Any] | None = None, environ: dict[str, str] | None = None
) -> str:
    """Render Jinja SQL as dbt would for an adapter, with dbt variables and environment variables as given."""
    environment = _environment(adapter, frozenset((settings or {}).items()), frozenset((environ or {}).items()))
    return environment.from_string(text).render().strip()


def _mend(tree: exp.Expression) -> exp.Expression:
    """Say what sqlglot translates wrongly: encode(…, 'hex'), normalize(…, nfc), collate, numeric; Spark's groups."""
    for node in reversed(list(tree.find_all(exp.Encode, exp.Normalize, exp.Cast, exp.RegexpReplace, exp.Collate))):
        if isinstance(node, exp.Collate):
            node.replace(node.this)
        elif isinstance(node, exp.RegexpReplace):
            text = re.sub(r"\$([0-9])", r"\\\1", node.args["replacement"].name)
            node.set("replacement", exp.Literal.string(text))
        elif isinstance(node, exp.Encode):
            node.replace(exp.func("sha256", node.this.this))
        elif isinstance(node, exp.Normalize):
            node.replace(exp.func("nfc_normalize", node.this))
        elif node.to.is_type("decimal") and not node.to.expressions:
            node.replace(exp.TryCast(this=node.this, to=exp.DataType.build("decimal(38, 10)")))
    return tree


def to_duckdb(sql: str, adapter: str) -> str:
    """Translate one statement of an adapter's dialect to DuckDB's."""
    return sql if adapter == "duckdb" else _mend(sqlglot.parse_one(sql, read=adapter)).sql("duckdb")


@cache
def _warehouse() -> duckdb.DuckDBPyConnection:
    """Open an empty warehouse in memory, in UTC, with the seeds that identifiers are joined with."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(POSTGRES_IN_DUCKDB)
    for seed in SEEDS:
        path = ROOT / "seeds" / f"{seed}.csv"
        connection.execute(f"create table {seed} as from read_csv('{path}', all_varchar = true, header = true)")
    return connection


def run(
    template: str, rows: Sequence[Sequence[str | None]], columns: Sequence[str], adapter: str = "duckdb"
) -> list[tuple[Any, ...]]:
    """Run a `select … from given …`, rendered for an adapter, over rows of text that are numbered by `position`."""
    connection = _warehouse().cursor()
    given = {name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(columns)}
    connection.register("given", pa.table({"position": pa.array(range(len(rows)), pa.int32()), **given}))
    return connection.execute(to_duckdb(render(template, adapter), adapter)).fetchall()


def evaluate(expression: str, values: Sequence[str | None], adapter: str = "duckdb") -> list[Any]:
    """Give an expression's value for each text in column e."""
    rows = run(f"select {expression} from given order by position", [(value,) for value in values], ("e",), adapter)
    return [value for (value,) in rows]
