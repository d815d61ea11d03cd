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
            warehouse.execute("create schema if not exists raw; create schema if not exists shop")
            for name, rows in self.history.tables.items():
                warehouse.register("rows", pl.DataFrame(rows, infer_schema_length=None).cast(pl.String).to_arrow())
                schema = "shop" if name in RENAMED else "raw"
                warehouse.execute(f"create or replace table {schema}.{name} as select * {ODD.get(name, '')} from rows")
                warehouse.unregister("rows")
            for name in RENAMED:
                warehouse.execute(f"create or replace view raw.{name} as select * from shop.{name}")
            asked = "select 'visitor' as subject_type, 'v-s' as subject_value"
            warehouse.execute(f"create or replace table raw.suppressions as {asked}")

    def strangers_come(self, step: int) -> None:
        """Add the rows of STRANGERS that come at a step, and take away what goes."""
        for table, said in STRANGERS.get(step, []):
            self.history.tables[table].append(stranger(table, **said))
        if step == STEPS - 1:
            for row in self.history.tables["orders"]:
                row["browser_event_id"] = "late" if row["order_id"] == "x-16" else row["browser_event_id"]
        if step == STEPS - 2:
            for table, key, gone in (("orders", "order_id", "x-5"), *LEAVERS):
                rows = self.history.tables[table]
                rows[:] = [row for row in rows if row[key] != gone]

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
                from fct_conversion_outbox
                where event_id = 'purchase.x-16' or (event_id is not null and hash(event_id) % 20 = 0)"""
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


def stranger(table: str, **said: str) -> dict[str, str | None]:
    """Return a row of nobody whom the history knows: it goes with another by the id of its event alone."""
    at = (BEGIN - timedelta(hours=2)).isoformat()
    plain = {"is_test": "false", "currency": "EUR", "total": "10", "value": "10", "amount": "10", "channel": "web",
             "financial_status": "paid", "platform": "ios", "created_at": at, "paid_at": at, "updated_at": at,
             "occurred_at": at, "changed_at": at}  # fmt: skip
    return {**{name: plain.get(name) for name in every_contract()[table]}, **said}


def moved(hours: float) -> str:
    """Return a moment that many hours before the history begins."""
    return (BEGIN - timedelta(hours=hours)).isoformat()


RENAMED = ("consent", "refunds")
"""Tables that are there under another name, so that the models see a view."""
ODD = {"sessions": ", null::varchar as rowid"}
"""A further column that is called like DuckDB's number of a row."""
LEAVERS = (("web_events", "web_event_id", "w-1"), ("sessions", "session_id", "t-2"))
"""Without w-1, w-2 is an event, of a customer who denied. Without t-2, the id that asked to be forgotten means one
person, who bought x-14."""
GRANTED = {"purpose": "marketing", "status": "granted", "recorded_at": moved(30)}
DENIED = GRANTED | {"status": "denied"}
STRANGERS = {
    0: [
        ("web_events", {"web_event_id": "w-1", "event_name": "AddToCart", "event_id": "e-w", "visitor_id": "v-w"}),
        (
            "web_events",
            {
                "web_event_id": "w-2",
                "event_name": "AddToCart",
                "event_id": "e-w",
                "visitor_id": "v-w",
                "email": "w@example.com",
                "occurred_at": moved(1),
            },
        ),
        ("orders", {"order_id": "x-16"}),
        ("orders", {"order_id": "x-13", "customer_id": "c-w", "email": "w@example.com"}),
        ("consent", {"consent_id": "k-1", "subject_type": "visitor", "subject_id": "v-w", **GRANTED}),
        ("consent", {"consent_id": "k-2", "subject_type": "customer", "subject_id": "c-w", **DENIED}),
        ("sessions", {"session_id": "t-1", "visitor_id": "v-s", "customer_id": "c-1s", "started_at": moved(500)}),
        ("sessions", {"session_id": "t-2", "visitor_id": "V-S", "customer_id": "c-2s", "started_at": moved(500)}),
        ("orders", {"order_id": "x-14", "customer_id": "c-1s"}),
        ("consent", {"consent_id": "k-3", "subject_type": "customer", "subject_id": "c-1s", **GRANTED}),
        ("sessions", {"session_id": "t-3", "visitor_id": "v-t", "started_at": moved(3)}),
        ("orders", {"order_id": "x-15", "session_id": "t-3"}),
        ("consent", {"consent_id": "k-4", "subject_type": "visitor", "subject_id": "v-t", **GRANTED}),
        ("orders", {"order_id": "x-1", "browser_event_id": "purchase.x-2"}),
        ("orders", {"order_id": "x-5"}),
        ("app_events", {"app_event_id": "a-5", "event_name": "Purchase", "order_id": "x-5"}),
        ("orders", {"order_id": "x-7", "browser_event_id": "purchase.x-8"}),
        ("app_events", {"app_event_id": "x-9", "event_name": "Renewal", "event_id": "renewal.s-9.2"}),
        ("orders", {"order_id": "x-10", "browser_event_id": "purchase.leads-l-10"}),
        ("app_events", {"app_event_id": "x-11", "event_name": "Search", "event_id": "search.app_events-x-12"}),
    ],
    STEPS - 1: [
        ("consent", {"consent_id": "k-5", "subject_type": "session", "subject_id": "t-3", **DENIED}),
        ("orders", {"order_id": "x-2"}),
        ("orders", {"order_id": "x-3"}),
        ("orders", {"order_id": "x-4", "browser_event_id": "purchase.x-3"}),
        ("orders", {"order_id": "x-6", "browser_event_id": "purchase.x-5"}),
        ("app_events", {"app_event_id": "x-8", "event_name": "Purchase", "order_id": "x-8"}),
        ("subscriptions", {"subscription_id": "s-9", "change": "renewed", "period": "2"}),
        ("leads", {"lead_id": "l-10", "channel": "crm", "stage": "Purchase"}),
        ("app_events", {"app_event_id": "x-12", "event_name": "Search"}),
    ],
}
"""Rows that come at a step, by pairs that share an id: one sent it, the other makes it. Most of the last go with one of
the first. Order x-5 goes before the last step, and what the app told of it becomes an event."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose history is replayed to its end, in slices, with a sent log after the second step."""
    made = Shop(Project.copy(tmp_path_factory.mktemp("slices"), {}), History(FAMILIES, SEED))
    made.project.dbt("--quiet", "seed", "--vars", f"{{{ALWAYS}}}")
    for number in steps(made.history, STEPS):
        made.strangers_come(number)
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
    twice = "select event_id from int_events__keyed where source_id similar to '[axsl]-[0-9]+' and is_duplicate"
    pairs = ["purchase.x-2", "purchase.x-3", "purchase.x-5", "purchase.x-8", "purchase.leads-l-10", "renewal.s-9.2"]
    assert {event_id for (event_id,) in shop.ask(twice)} == {*pairs, "search.app_events-x-12"}
    # It was sent before its browser's id came.
    assert shop.ask("select event_id from int_events__keyed where source_id = 'x-16'") == [("purchase.x-16",)]
    figure("slices", f"{STEPS} steps, {seen} records, {changed} changed in the last: all tables equal")


def test_between_runs_there_is_no_slice(shop: Shop) -> None:
    """A view shows all rows to whoever asks it then, of tables and of views."""
    for name in ("orders", "sessions", "consent", "refunds"):
        assert shop.ask(f"select count(*) from stg_raw__{name}") == shop.ask(f"select count(*) from raw.{name}")


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
