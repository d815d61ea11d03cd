"""The project's own SQL of consent, as dbt compiles it, over tables that a test fills again and again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from tests.support.repository import ROOT

MODELS: Final = (
    "int_consent__gathered",
    "int_events__subjects",
    "int_events__ruled",
    "int_events__decided",
    "int_events__consented",
    "int_events__sent",
    "audit_sent_without_consent",
)
"""In the order in which they read each other."""

GUARD: Final = "no_event_without_consent_is_sendable"
"""The data test that asks the raw tables anew."""

_TIME, _TEXT, _BOOL = pa.timestamp("us"), pa.string(), pa.bool_()

TABLES: Final[Mapping[str, Mapping[str, pa.DataType]]] = {
    "stg_raw__consent": {
        "subject_type": _TEXT, "subject_id": _TEXT, "purpose": _TEXT, "status": _TEXT, "recorded_at": _TIME,
    },
    "stg_raw__sessions": {
        "session_id": _TEXT, "visitor_id": _TEXT, "customer_id": _TEXT, "started_at": _TIME,
        "global_privacy_control": _BOOL,
    },
    "int_events__identified": {
        "event_key": _TEXT, "event_name": _TEXT, "event_id": _TEXT, "event_at": _TIME, "is_duplicate": _BOOL,
        "country_code": _TEXT, "region_code": _TEXT, "customer_id": _TEXT, "visitor_id": _TEXT,
        "session_visitor_id": _TEXT, "session_id": _TEXT, "person_id": _TEXT, "source_table": _TEXT,
        "source_id": _TEXT,
    },
    "int_people__resolved": {"node": _TEXT, "person_id": _TEXT},
    "int_events__touched": {"event_key": _TEXT, "visitor_id": _TEXT},
    "consent_policy": {
        "country_code": _TEXT, "region_code": _TEXT, "regime": _TEXT, "on_denial": _TEXT, "gpc_is_denial": _BOOL,
        "regrant_revives": _BOOL,
    },
    "destinations": {"destination": _TEXT, "consent_purpose": _TEXT, "is_enabled": _BOOL},
    "stg_kept__sent_log": {
        "destination": _TEXT, "destination_id": _TEXT, "event_name": _TEXT, "event_id": _TEXT, "state": _TEXT,
        "reason": _TEXT, "first_intent_at": _TIME, "updated_at": _TIME,
    },
    "fct_conversion_events": {"event_key": _TEXT, "country_code": _TEXT, "region_code": _TEXT},
    "fct_conversion_outbox": {
        "event_key": _TEXT, "destination": _TEXT, "event_at": _TIME, "as_of": _TIME, "consent_purpose": _TEXT,
        "is_sendable": _BOOL, "is_limited_data_use": _BOOL,
    },
}  # fmt: skip
"""What the models read, with the columns that they use."""

Tables = Mapping[str, Sequence[Mapping[str, Any]]]

_COMPILED_AS_OF: Final = "2001-02-03 04:05:06.000007"


def compiled(folder: Path, project: Path = ROOT) -> dict[str, str]:
    """Let dbt compile the models and the guard, away from the checkout's own target folder."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "compile", "--select"]
    paths = ["--target-path", str(folder), "--log-path", str(folder), "--profiles-dir", str(project)]
    environment = os.environ | {"UPLOADER_WAREHOUSE": str(folder / "warehouse.duckdb"), "UPLOADER_NOW": _COMPILED_AS_OF}
    done = subprocess.run(
        [*command, *MODELS, GUARD, *paths], cwd=project, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    found = {file.stem: file.read_text(encoding="utf-8") for file in (folder / "compiled").rglob("*.sql")}
    return {name: found[name] for name in (*MODELS, GUARD)}


class Decider:
    """A warehouse in memory whose views are the compiled models."""

    def __init__(self, models: Mapping[str, str]) -> None:
        """Keep the SQL of the models; a test may hand over SQL with a mistake."""
        self._models = models
        self._connection = duckdb.connect()
        self._connection.execute("attach ':memory:' as warehouse")
        self._connection.execute("use warehouse")
        # An empty slice means everything.
        self._connection.execute("create table build_slice (record hugeint)")

    def decide(self, tables: Tables, as_of: datetime) -> list[dict[str, Any]]:
        """Return the rows of `int_events__consented` for these tables, as known at ``as_of``."""
        return self._asked("int_events__consented", tables, as_of)

    def audit(self, tables: Tables, as_of: datetime) -> list[dict[str, Any]]:
        """Return the rows of `audit_sent_without_consent`."""
        return self._asked("audit_sent_without_consent", tables, as_of)

    def guard(self, tables: Tables, as_of: datetime) -> list[dict[str, Any]]:
        """Return the rows that the data test finds wrong."""
        return self._asked(GUARD, tables, as_of)

    def _asked(self, name: str, tables: Tables, as_of: datetime) -> list[dict[str, Any]]:
        for table, columns in TABLES.items():
            rows = [{column: row.get(column) for column in columns} for row in tables.get(table, ())]
            self._connection.register("given", pa.Table.from_pylist(rows, pa.schema(list(columns.items()))))
            self._connection.execute(f"create or replace table {table} as select * from given")
        moment = as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        for model, sql in self._models.items():
            self._connection.execute(f"create or replace view {model} as {sql.replace(_COMPILED_AS_OF, moment)}")
        found: list[dict[str, Any]] = self._connection.sql(f"select * from {name}").to_arrow_table().to_pylist()
        return found
