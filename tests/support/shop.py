"""A shop in a folder: marts as dbt would leave them, a sandbox for Meta, and the commands."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.support.frames import event_frame
from uploader.cli.app import run
from uploader.events import EVENTS, OUTBOX
from uploader.sandbox import Sandbox

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
DATASET = "42"
ROOT = Path(__file__).parent.parent.parent


def write_marts(path: Path, rows: pl.DataFrame) -> None:
    """Write both marts, the seed ``destinations`` and an empty ``build_failures``."""
    with duckdb.connect(str(path)) as warehouse:
        for table, columns in (("fct_conversion_events", EVENTS), ("fct_conversion_outbox", OUTBOX)):
            frame = rows.select(columns.names()).unique(maintain_order=True).to_arrow()
            warehouse.register("frame", frame)
            warehouse.execute(f"create or replace table {table} as select * from frame").fetchall()
            warehouse.unregister("frame")
        warehouse.execute(
            "create or replace table destinations as select 'meta' as destination, true as is_enabled"
        ).fetchall()
        warehouse.execute("create or replace table build_failures (unique_id varchar, status varchar)").fetchall()


@dataclass
class Shop:
    """The folder is the current one while a test runs; see `shop` for the settings it has."""

    folder: Path
    sandbox: Sandbox
    capture: pytest.CaptureFixture[str]
    error: str = field(default="")

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.folder / "warehouse.duckdb"

    def sells(self, *rows: Mapping[str, Any]) -> None:
        """Let dbt have built these events; see `event_frame`."""
        write_marts(self.warehouse, event_frame(*rows))

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Run SQL in the warehouse."""
        with duckdb.connect(str(self.warehouse)) as connection:
            return connection.execute(query).fetchall()

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command; return its exit code and stdout. ``error`` has what it told people."""
        self.capture.readouterr()
        code = run(list(words))
        told = self.capture.readouterr()
        self.error = told.err
        return code, told.out

    def json(self, *words: str) -> tuple[int, Any]:
        """Run a command with ``--json``; stdout must be one JSON document."""
        code, out = self.run(*words, "--json")
        return code, json.loads(out)

    def posted(self) -> int:
        """Return how many requests the sandbox got."""
        return len(self.sandbox.requests())


def orders(count: int, **overrides: Any) -> list[dict[str, Any]]:
    """Return that many plain orders that may be sent."""
    return [
        {
            "event_key": f"purchase.{n}",
            "event_id": f"purchase.{n}",
            "order_id": str(n),
            "external_id_sha256": f"{n:064x}",
        }
        | overrides
        for n in range(1, count + 1)
    ]


def settings_for(sandbox: Sandbox, now: datetime) -> dict[str, str]:
    """Return the environment that points the uploader to a sandbox, at a time."""
    return {
        "UPLOADER_NOW": now.isoformat(),
        "META_ACCESS_TOKEN": sandbox.token,
        "UPLOADER__DESTINATIONS__META__DATASET_ID": DATASET,
        "UPLOADER__DESTINATIONS__META__BASE_URL": sandbox.url,
    }


@contextmanager
def opened(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capture: pytest.CaptureFixture[str],
    now: datetime = NOW,
    dataset_ids: Sequence[str] | None = (DATASET,),
) -> Iterator[Shop]:
    """Open a shop at a time, with a sandbox that believes the same, and knows these datasets; None: any."""
    for name in ("dbt_project.yml", "profiles.yml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.chdir(folder)
    with Sandbox(clock=lambda: now, dataset_ids=dataset_ids) as sandbox:
        for name, value in settings_for(sandbox, now).items():
            monkeypatch.setenv(name, value)
        yield Shop(folder, sandbox, capture)
    assert os.environ  # the environment is restored by monkeypatch
