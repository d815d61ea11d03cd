"""A person is forgotten: from raw tables through the sandbox to a scan of every file and every table."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest

from tests.support.dbt_project import MODELS_ONLY
from tests.support.project import Project
from tests.support.shop import DATASET, settings_for
from tests.support.three_people import DERIVED, JANE, NEEDLES, RAW, tables, write
from tests.support.traces import in_files, in_tables, without
from uploader.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.support.postgres import Server

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BUILD = ("build", "--exclude-resource-type", "unit_test", "--quiet")
HERS = {"purchase.order-jane-1", "purchase.order-jane-2"}


@dataclass
class Story:
    """One shop, from where its first build ended."""

    project: Project
    sandbox: Sandbox

    def send(self) -> set[str]:
        """Send; return the ids that are counted since, and make sure that no request repeats another one."""
        before = {event["event_id"] for event in self.sandbox.counted(DATASET)}
        told = json.loads(self.project.uploader("send", "--yes", "--json"))
        counted = {event["event_id"] for event in self.sandbox.counted(DATASET)} - before
        assert told["destinations"]["meta"]["acked"] == len(counted)
        return counted

    def forget(self, *words: str, exit_code: int = 0) -> dict[str, Any]:
        """Forget, and return what is told."""
        told: dict[str, Any] = json.loads(self.project.uploader("forget", *words, "--json", exit_code=exit_code))
        return told

    def build(self, *words: str) -> None:
        """Make all tables anew; without the tests of data, which take most of the time of a build."""
        self.project.dbt(*(words or ("run", "--quiet")))

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        with duckdb.connect(str(self.project.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def files(self) -> dict[str, set[str]]:
        """Return where something of Jane's stands in a file."""
        return in_files(self.project.folder, NEEDLES)

    def tables(self) -> dict[str, set[str]]:
        """Return where something of Jane's stands in a table."""
        return in_tables(self.project.warehouse, NEEDLES)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One platform for all."""
    with Sandbox(clock=lambda: NOW, dataset_ids=[DATASET]) as it:
        yield it


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Project:
    """Load and build once; each test goes on in a copy."""
    # Whatever dbt writes is looked through here.
    settings = settings_for(sandbox, NOW) | {"DBT_WRITE_JSON": "true", "DBT_LOG_LEVEL_FILE": "debug"}
    project = Project.copy(tmp_path_factory.mktemp("built"), settings)
    project.uploader("load", str(write(tmp_path_factory.mktemp("raw"), tables())))
    project.dbt(*BUILD)
    return project


@pytest.fixture
def story(built: Project, tmp_path: Path, sandbox: Sandbox) -> Story:
    """A shop of one's own that has sent everything."""
    folder = tmp_path / "shop"
    shutil.copytree(built.folder, folder)
    sandbox.reset()
    return Story(Project(folder, built.settings), sandbox)


def test_no_trace_is_left(story: Story) -> None:
    """Of all that the shop had; the other people are as they were, and the books keep the money."""
    assert story.send() >= HERS
    story.project.uploader("check")
    assert set(RAW) | set(DERIVED) == set().union(*story.tables().values())
    told = story.forget("--email", JANE, "--erase-raw")
    assert (story.files(), story.tables()) == ({}, {})
    assert story.sql("select count(*), sum(cast(total as double)) from raw.orders") == [(5, 686.66)]
    assert told["destinations"][f"meta:{DATASET}"]["arrived"] >= 2
    assert story.sql("select event_id from sent_log where event_id like 'purchase%' order by 1") == [
        ("purchase.order-bob-1",), ("purchase.order-carol-1",),
    ]  # fmt: skip
    story.build()
    assert story.send() == set()
    assert (story.files(), story.tables()) == ({}, {})
    held = "select distinct hold_reason from fct_conversion_outbox where event_key like '%.erased-%'"
    assert story.sql(held) == [("suppressed",)]


def test_the_shops_own_tables_are_left_unless_it_asks(story: Story) -> None:
    """They are named with their rows; the next build holds what it makes of them, and can be cleaned after."""
    story.send()
    told = story.forget("--phone", "0151/99887766", "--country", "DE")
    assert without(story.tables(), "raw.") == without(story.files(), "warehouse.duckdb") == {}
    assert told["raw_tables_left"] == {
        "consent": 2, "leads": 1, "order_lines": 3, "orders": 3, "payments": 3, "sessions": 1, "web_events": 1,
    }  # fmt: skip
    story.build("build", *MODELS_ONLY, "--quiet")
    assert story.send() == set()
    reasons = "select hold_reason from fct_conversion_outbox where event_id like '%jane%'"
    assert set(story.sql(reasons)) == {("suppressed",)}
    left = without(story.tables(), "raw.", "main.int_")
    keys = {hit for hits in left.values() for hit in hits}
    assert keys == {needle for needle in NEEDLES if re.fullmatch(r"(purchase[.])?(order|lead|hit)-jane-\d", needle)}
    story.forget("--listed")
    assert without(story.tables(), "raw.") == without(story.files(), "warehouse.duckdb") == {}


def test_who_is_forgotten_before_the_first_request_is_never_sent(story: Story) -> None:
    """Also when the shop loads its tables again, and by whatever id the person comes back."""
    assert story.forget("--customer", "cust-jane-1")["destinations"] == {}
    story.build()
    assert not HERS & story.send()
    assert not any("jane" in key for (key,) in story.sql("select event_id from sent_log"))


def test_a_table_of_requests_does_the_same_in_bulk(story: Story, tmp_path: Path) -> None:
    """From the next build on they are held; the command then cleans what there was."""
    story.send()
    asked = {"subject_type": "E-Mail", "subject_value": f" {JANE}", "requested_at": "2026-11-19", "country_code": ""}
    story.project.uploader("load", str(write(tmp_path / "asked", {"suppressions": [asked]})))
    story.build()
    reasons = "select distinct hold_reason from fct_conversion_outbox where event_id like 'purchase.order-jane%'"
    assert story.sql(reasons) == [("suppressed",)]
    told = story.forget("--listed", "--erase-raw")
    assert (told["people"], story.files(), story.tables()) == (1, {}, {})
    assert {name for (name,) in story.sql("select email from raw.orders where email is not null")} == {
        "bob@example.com", "carol@example.com",
    }  # fmt: skip


def test_what_could_not_be_finished_is_finished_by_the_next_run(story: Story) -> None:
    """Somebody reads the sent log, then something is in the way of the new file: trying again does the rest."""
    story.send()
    with duckdb.connect(str(story.project.warehouse)) as warehouse:
        warehouse.execute("insert into build_state values ('of a large shop', now(), true)")
    with closing(sqlite3.connect(story.project.folder / "sent_log.sqlite")) as reader:
        reader.execute("begin")
        reader.execute("select * from batch").fetchone()
        story.forget("--email", JANE, "--erase-raw", exit_code=75)
    # The sent log knows her events no more, and no build has held them yet: the next one may not be a slice.
    assert (story.send(), story.sql("select * from build_state")) == (set(), [])
    assert story.sql("select count(*) > 1 from suppressions") == [(True,)]
    assert JANE in set().union(*story.tables().values())
    obstacle = story.project.folder / "warehouse.duckdb.new"
    obstacle.mkdir()
    story.forget("--email", JANE, "--erase-raw", exit_code=78)
    assert story.tables() == {}
    obstacle.rmdir()
    assert story.forget("--email", JANE, "--erase-raw")["events"] == 0
    assert (story.files(), story.tables()) == ({}, {})


def test_a_number_of_two_people_forgets_neither(story: Story) -> None:
    """The orders that have it are held, and nothing else of either; their raw rows are not erased for it."""
    with duckdb.connect(str(story.project.warehouse)) as warehouse:
        warehouse.execute("update raw.orders set phone = '+49 151 11111111' where order_id = 'order-carol-1'")
    story.build()
    assert story.forget("--phone", "+49 151 11111111")["is_shared"]
    assert story.sql("select kind from suppressions") == [("phone",)]
    story.build()
    assert "several people" in story.forget("--listed", "--erase-raw", exit_code=64)["error"]
    emails = story.sql("select email from raw.orders where phone like '%1111' order by 1")
    assert emails == [("bob@example.com",), ("carol@example.com",)]


def test_a_dry_run_changes_nothing_and_a_value_that_is_none_finds_nobody(story: Story) -> None:
    """Every file stays as it is, to the byte; an unreadable value is no success, and nothing repeats it."""
    story.send()
    before = {path: path.read_bytes() for path in story.project.folder.rglob("*") if path.is_file()}
    told = story.forget("--email", JANE, "--dry-run")
    assert (told["events"] >= 2, told["people"]) == (True, 1)
    wrong = story.forget("--email", "jane at erewhon", exit_code=64)
    assert "erewhon" not in wrong["error"]
    story.forget("--phone", "0151 99887766", exit_code=64)
    after = {path: path.read_bytes() for path in story.project.folder.rglob("*") if path.is_file()}
    assert {str(path) for path in before if before[path] != after.get(path)} <= set()


def test_a_sent_log_in_postgresql_forgets_too(story: Story, postgres: Server) -> None:
    """Keys, verdicts and what the server knows of their values."""
    url = postgres.fresh()
    settings = {**story.project.settings, "LOG": url, "UPLOADER__LEDGER__URL_ENV": "LOG"}
    story.project = Project(story.project.folder, settings)
    assert story.send() >= HERS
    told = story.forget("--email", JANE, "--erase-raw")
    assert told["sent_log"]["rows_deleted"] >= 2
    with psycopg.connect(url) as connection:
        rows = connection.execute("select t::text from uploader_sent_log.batch_event as t").fetchall()
        rows += connection.execute(
            "select s::text from pg_stats as s where schemaname = 'uploader_sent_log'"
        ).fetchall()
    assert (len(rows) > 0, "jane" in repr(rows)) == (True, False)
    assert (story.files(), story.tables()) == ({}, {})
