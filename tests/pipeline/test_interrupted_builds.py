"""Builds that did not do all: nothing is sent before what they left is built, and nothing counts on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.dbt_project import load, order, rows
from tests.support.project import UNREAD, Project

ALWAYS = ("--vars", "{slice_from_rows: 0}")
SEEDS_AND_MODELS = ("build", "--resource-type", "seed", "--resource-type", "model", *ALWAYS)
FAILING = "select 1 as one from (select count(*) from {{ ref('int_events__subjects') }}) as subjects"
SETTINGS = {
    "UPLOADER_NOW": "2026-11-20T12:00:00Z",
    "META_ACCESS_TOKEN": "token",
    "UPLOADER__DESTINATIONS__META__DATASET_ID": "42",
    "UPLOADER__DESTINATIONS__META__BASE_URL": "http://127.0.0.1:9",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse with one order, from a place where nobody need agree; everything is built."""
    project = Project.copy(tmp_path_factory.mktemp("built"), SETTINGS)
    load(project.warehouse, {"orders": [order("1", country_code="US", region="AL")]})
    project.dbt("--quiet", *SEEDS_AND_MODELS)
    return project.warehouse


@pytest.fixture
def shop(built: Path, tmp_path: Path) -> Project:
    """A shop that has this warehouse."""
    project = Project.copy(tmp_path, SETTINGS)
    shutil.copy(built, project.warehouse)
    return project


def decisions(shop: Project, destination: str = "meta") -> list[tuple[bool, str | None]]:
    """Return what a destination's outbox says of the order."""
    query = f"select is_sendable, hold_reason from fct_conversion_outbox where destination = '{destination}'"
    return [tuple(row.values()) for row in rows(shop.warehouse, query)]


def failures(shop: Project) -> dict[str, str]:
    """Return the last part of the name of each node on record, with its status."""
    found = rows(shop.warehouse, "select unique_id, status from build_failures")
    return {row["unique_id"].split(".")[-1]: row["status"] for row in found}


def change_policy(shop: Project) -> None:
    """Let the place ask for an agreement from now on."""
    policy = shop.folder / "seeds" / "consent_policy.csv"
    policy.write_text(policy.read_text("utf-8").replace("US,AL,opt_out", "US,AL,opt_in"), encoding="utf-8")


@pytest.mark.parametrize("between", [[], ["run"], ["seed"]], ids=["nothing", "run", "seed"])
def test_an_edited_seed_judges_every_row(shop: Project, between: list[str]) -> None:
    """Also where a run without seeds saw the new file first, and knew the old rows alone."""
    assert decisions(shop) == [(True, None)]
    change_policy(shop)
    for command in between:
        shop.dbt("--quiet", command, *ALWAYS)
    shop.dbt("--quiet", *SEEDS_AND_MODELS)
    assert decisions(shop) == [(False, "consent_missing")]


def test_a_destination_that_is_switched_on_by_a_var_has_every_row(shop: Project) -> None:
    """A run without seeds switches nothing on; the next build does, for rows that did not change too."""
    on = ("--vars", "{slice_from_rows: 0, enabled_destinations: pinterest}")
    shop.dbt("--quiet", "run", *on)
    assert decisions(shop, "pinterest") == []
    shop.dbt("--quiet", "build", "--resource-type", "seed", "--resource-type", "model", *on)
    assert decisions(shop, "pinterest") == [(True, None)]


def test_a_killed_build_sends_nothing(shop: Project) -> None:
    """Its events may be new and its decisions old; only a run of all models ends that."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "run", "--full-refresh", *ALWAYS]
    environment = {**os.environ, **UNREAD, **shop.settings}
    with subprocess.Popen(command, cwd=shop.folder, env=environment, stdout=subprocess.PIPE, text=True) as build:
        assert build.stdout is not None
        assert any("OK created" in line and "int_orders__latest" in line for line in build.stdout)
        build.kill()
    assert list(failures(shop).values()) == ["unfinished"]
    shop.uploader("send", exit_code=65)
    shop.dbt("--quiet", "run", "--select", "stg_raw__orders", *ALWAYS)
    assert list(failures(shop).values()) == ["unfinished"]
    shop.dbt("--quiet", "run", *ALWAYS)
    assert failures(shop) == {}


def test_what_a_failed_test_kept_from_being_built_is_on_record(shop: Project) -> None:
    """That the test passes now does not make the outbox new."""
    failing = shop.folder / "tests" / "sql" / "failing.sql"
    failing.write_text(FAILING, encoding="utf-8")
    kinds = ("--resource-type", "model", "--resource-type", "test")
    shop.dbt("--quiet", "build", *kinds, "--select", "int_events__subjects+", *ALWAYS, exit_code=1)
    failing.unlink()
    shop.dbt("--quiet", "build", *kinds, "--select", "int_events__subjects", *ALWAYS)
    assert failures(shop)["fct_conversion_outbox"] == "skipped"
    shop.uploader("send", exit_code=65)
    shop.dbt("--quiet", "run", *ALWAYS)
    assert failures(shop) == {}
