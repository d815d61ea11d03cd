"""Runs dbt over raw tables that a test gives as rows."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tests.support.project import UNREAD

ROOT = Path(__file__).parent.parent.parent
NOW = "2026-11-20T12:00:00Z"

Row = Mapping[str, Any]

MODELS_ONLY = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
"""What leaves all tests out of a build."""

COLUMNS: Mapping[str, Sequence[str]] = {
    "orders": (
        *("order_id", "customer_id", "session_id", "browser_event_id", "channel", "financial_status", "created_at"),
        *("paid_at", "cancelled_at", "updated_at", "currency", "subtotal", "discount", "shipping", "tax", "total"),
        *("email", "phone", "first_name", "last_name", "city", "region", "postal_code", "country_code"),
        *("date_of_birth", "gender", "client_ip", "user_agent", "landing_url", "is_test"),
    ),
    "order_lines": ("order_id", "line_number", "product_id", "title", "category", "quantity", "unit_price"),
    "sessions": (
        *("session_id", "visitor_id", "customer_id", "started_at", "landing_url", "referrer_url", "fbp", "fbc"),
        *("client_ip", "user_agent", "country_code", "global_privacy_control", "ga_client_id"),
    ),
    "consent": (
        *("consent_id", "subject_type", "subject_id", "purpose", "status", "recorded_at", "jurisdiction", "source"),
    ),
    "payments": ("payment_id", "order_id", "status", "amount", "currency", "confirmed_at", "method"),
}
"""The raw tables that most tests need, in full."""


def order(order_id: str | None, **changes: Any) -> dict[str, Any]:
    """Return a paid web order of an hour ago that may be sent if its customer, ``c-<order id>``, agreed."""
    plain = {
        "order_id": order_id,
        "customer_id": f"c-{order_id}",
        "channel": "web",
        "financial_status": "paid",
        "created_at": "2026-11-20T10:30:00Z",
        "paid_at": "2026-11-20T11:00:00Z",
        "updated_at": "2026-11-20T11:00:00Z",
        "currency": "EUR",
        "total": "10.00",
        "email": "jane@example.com",
        "country_code": "DE",
        "is_test": "false",
    }
    return dict.fromkeys(COLUMNS["orders"], "") | plain | changes


def session(session_id: str, **changes: Any) -> dict[str, Any]:
    """Return a session that started before the orders of `order`."""
    plain = {"session_id": session_id, "visitor_id": f"v-{session_id}", "started_at": "2026-11-20T10:00:00Z"}
    return dict.fromkeys(COLUMNS["sessions"], "") | plain | changes


def decision(subject_id: str, status: str = "granted", **changes: Any) -> dict[str, Any]:
    """Return a customer's decision about marketing, made on the first of the month."""
    plain = {
        "consent_id": f"{subject_id}-{status}",
        "subject_type": "customer",
        "subject_id": subject_id,
        "purpose": "marketing",
        "status": status,
        "recorded_at": "2026-11-01T00:00:00Z",
    }
    return dict.fromkeys(COLUMNS["consent"], "") | plain | changes


def load(warehouse: Path, tables: Mapping[str, Sequence[Row] | None]) -> None:
    """Write raw tables. One without rows, or that is not named, is empty; one that is None is not there.

    The optional tables that `COLUMNS` does not name are there when they are given, with the columns that they have.
    """
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema if not exists raw").fetchall()
        for name in {**COLUMNS, **tables}:
            connection.execute(f"drop table if exists raw.{name}").fetchall()
            rows = tables.get(name, None if name == "payments" else [])
            if rows is None:
                continue
            frame = _table(rows, COLUMNS.get(name, ()))
            connection.register("frame", frame)
            connection.execute(f"create table raw.{name} as select * from frame").fetchall()
            connection.unregister("frame")


def _table(rows: Sequence[Row], columns: Iterable[str]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row)) or list(columns)
    table = pa.table({name: [row.get(name) for row in rows] for name in names})
    types = [pa.string() if pa.types.is_null(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(names, types, strict=True))))


def dbt(warehouse: Path, *words: str, now: str = NOW) -> subprocess.CompletedProcess[str]:
    """Run dbt on a warehouse, with everything that it writes outside of the checkout."""
    folder = _folder(words[words.index("--vars") + 1] if "--vars" in words else "")
    paths = ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), "--profiles-dir", str(ROOT)]
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--no-use-colors", *words, *paths]
    # The same path in each run, or dbt would parse the whole project again.
    shared = folder / "warehouse.duckdb"
    environment = {**os.environ, **UNREAD, "UPLOADER_WAREHOUSE": str(shared), "UPLOADER_NOW": now}
    shutil.copy(warehouse, shared)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    shutil.copy(shared, warehouse)
    return done


@functools.cache
def _folder(_vars: str) -> Path:
    """Return one folder for all runs of this process with the same variables.

    dbt parses only what changed since the last run in it; with other variables it would parse everything again.
    """
    folder = Path(tempfile.mkdtemp(prefix="conversions-dbt-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def build(
    tmp_path: Path,
    tables: Mapping[str, Sequence[Row] | None],
    vars: Mapping[str, Any] | None = None,  # noqa: A002 (as dbt calls them)
    *,
    is_tested: bool = False,
) -> Path:
    """Load raw tables, run ``dbt build``, and return the warehouse; all data tests must hold where ``is_tested``.

    They take a third of the time, so only the shops that have everything are tested. The unit tests of dbt do not
    depend on the raw tables and are left out.
    """
    warehouse = tmp_path / "warehouse.duckdb"
    load(warehouse, tables)
    options = ["--vars", json.dumps(dict(vars))] if vars else []
    left_out = MODELS_ONLY[: 2 if is_tested else None]
    done = dbt(warehouse, "build", *left_out, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return warehouse


def rows(warehouse: Path, query: str) -> list[dict[str, Any]]:
    """Return what a query finds in a warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found: list[dict[str, Any]] = connection.sql(query).to_arrow_table().to_pylist()
    return found
