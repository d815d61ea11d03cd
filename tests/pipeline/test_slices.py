"""A run that builds a slice leaves every table as a run that builds everything does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from tests.support.history import BEGIN, History, steps
from tests.support.project import ROOT, Project
from tests.support.proof import size
from tests.support.repository import text
from tests.support.two_worlds import every_contract

FAMILIES = size(600, 2_000)
STEPS = size(3, 25)
SEED = 1
ALWAYS = "slice_from_rows: 0"


class Shop:
    """A warehouse that a history is replayed into."""

    def __init__(self, project: Project, history: History) -> None:
        self.project = project
        self.history = history

    def load(self) -> None:
        """Put the raw tables as they are now."""
        with duckdb.connect(str(self.project.warehouse)) as warehouse:
            warehouse.execute("create schema if not exists raw")
            for name, rows in self.history.tables.items():
                warehouse.register("rows", pl.DataFrame(rows, infer_schema_length=None).cast(pl.String).to_arrow())
                warehouse.execute(f"create or replace table raw.{name} as select * from rows")
                warehouse.unregister("rows")

    def run(self, *words: str) -> None:
        """Run all models, at the history's moment."""
        at = Project(self.project.folder, {**self.project.settings, "UPLOADER_NOW": self.history.now.isoformat()})
        at.dbt("--quiet", "run", "--vars", f"{{{ALWAYS}}}", *words)

    def built_whole(self, folder: Path) -> Path:
        """Return another warehouse with the same raw tables, in which everything is built from nothing."""
        folder.mkdir()
        other = Shop(Project.copy(folder / "project", self.project.settings), self.history)
        shutil.copy(self.project.warehouse, other.project.warehouse)
        other.run("--full-refresh")
        return other.project.warehouse

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with duckdb.connect(str(self.project.warehouse), read_only=True) as warehouse:
            return warehouse.execute(query).fetchall()

    def was_slice(self) -> bool:
        """Return whether the last run built a slice; only such a run makes this table."""
        with duckdb.connect(str(self.project.warehouse)) as warehouse:
            made = warehouse.execute("from duckdb_tables() where table_name = 'build_identifiers'").fetchall()
            warehouse.execute("drop table if exists build_identifiers")
        return bool(made)

    def sends(self) -> None:
        """Publish a sent log in which a few events have arrived: so many that the next run is still a slice."""
        with duckdb.connect(str(self.project.warehouse)) as warehouse:
            warehouse.execute(
                """create or replace table sent_log as
                select destination, destination || ':42' as destination_id, event_name, event_id, 'acked' as state,
                    null::varchar as reason, as_of as first_intent_at, as_of as updated_at
                from fct_conversion_outbox where event_id is not null and hash(event_id) % 20 = 0"""
            )


def built_tables() -> Mapping[str, str]:
    """Return the tables that are built in slices and their unique_key, as dbt_project.yml has them."""
    layers = yaml.safe_load((ROOT / "dbt_project.yml").read_text("utf-8"))["models"]["conversions"]
    models = {**layers["intermediate"], **layers["marts"]}
    return {name: model["+unique_key"] for name, model in models.items() if name[0] != "+" and "+unique_key" in model}


def differences(one: Path, other: Path) -> dict[str, int]:
    """Return how many rows of each table are in one of two warehouses alone."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one_of (read_only); attach '{other}' as other_of (read_only)")
        found = {}
        for name in [*built_tables(), "audit_identifiers", "audit_unreadable_values"]:
            query = f"select count(*) from (select * from {{}}.main.{name} except all select * from {{}}.main.{name})"
            apart = [connection.execute(query.format(*pair)).fetchall()[0][0] for pair in
                     (("one_of", "other_of"), ("other_of", "one_of"))]  # fmt: skip
            found[name] = sum(apart)
    return {name: count for name, count in found.items() if count}


def order(order_id: str, browser_event_id: str | None = None) -> dict[str, str | None]:
    """Return a paid order of nobody whom the history knows: it goes with another row by its event's id alone."""
    at = dict.fromkeys(("created_at", "paid_at", "updated_at"), (BEGIN - timedelta(hours=2)).isoformat())
    named = {"order_id": order_id, "browser_event_id": browser_event_id}
    said = {"channel": "web", "financial_status": "paid", "currency": "EUR", "total": "10", "is_test": "false"}
    return {**dict.fromkeys(every_contract()["orders"]), **named, **at, **said}


STRANGERS = {
    STEPS - 2: [order("o-1", "purchase.o-2")],
    STEPS - 1: [order("o-2"), order("o-3"), order("o-4", "purchase.o-3")],
}
"""Orders that come at a step. Two of the last share their ids, one with an order that was there before."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose history is replayed to its end, in slices, with a sent log after the second step."""
    made = Shop(Project.copy(tmp_path_factory.mktemp("slices"), {}), History(FAMILIES, SEED))
    made.project.dbt("--quiet", "seed", "--vars", f"{{{ALWAYS}}}")
    for number in steps(made.history, STEPS):
        made.history.tables["orders"] += STRANGERS.get(number, [])
        made.load()
        made.run()
        assert made.was_slice() == (number > 0)
        if number == 1:
            made.sends()
    return made


def test_slices_add_up_to_what_a_whole_run_builds(
    shop: Shop, tmp_path: Path, figure: Callable[[str, str], None]
) -> None:
    """After the last step every table has the rows that a run from nothing makes, however often they came."""
    assert differences(shop.project.warehouse, shop.built_whole(tmp_path / "whole")) == {}
    changed, seen = (shop.ask(f"select count(*) from {name}")[0][0] for name in ("build_changed", "build_records"))
    assert 0 < changed < seen / 3
    twice = "select count(*) from int_events__keyed where source_id like 'o-_' and is_duplicate"
    assert shop.ask(twice) == [(2,)]
    figure("slices", f"{STEPS} steps, {seen} records, {changed} changed in the last: all tables equal")


def test_between_runs_there_is_no_slice(shop: Shop) -> None:
    """A view shows all rows to whoever asks it then."""
    assert shop.ask("select count(*) from stg_raw__orders") == shop.ask("select count(*) from raw.orders")


def test_tests_alone_see_all_rows(shop: Shop) -> None:
    """Also after a run that was killed, which leaves its slice."""
    with duckdb.connect(str(shop.project.warehouse)) as warehouse:
        warehouse.execute("insert into build_slice values (0)")
    shop.project.dbt("--quiet", "test", "--select", "unreadable_suppressions")
    assert shop.ask("select count(*) from build_slice") == [(0,)]


def test_whatever_a_run_is_made_of_is_compared() -> None:
    """A var or a raw table that is left out of the lists would let a run go on from what is not so any more."""
    listed = {name: re.search(rf"macro {name}\(\).*?endmacro", text(f"macros/slices/{file}.sql"), re.DOTALL)
              for name, file in (("project_vars", "build_fingerprint"), ("raw_keys", "raw_links"))}  # fmt: skip
    named = {name: set(re.findall(r"'(\w+)'(?=[,:\s])", found[0])) for name, found in listed.items() if found}
    assert named["project_vars"] == set(yaml.safe_load(text("dbt_project.yml"))["vars"]) - {"as_of"}
    assert named["raw_keys"] >= set(every_contract()) - {"suppressions"}
