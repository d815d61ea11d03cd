"""The evidence of what left: made from a real build and a real run, and wrong when something wrong left."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.dbt_project import COLUMNS, MODELS_ONLY, decision, order
from tests.support.project import Project
from uploader.sandbox import Sandbox

NOW = "2026-11-20T12:00:00+00:00"
LATER = "2026-11-20T13:00:00+00:00"
PERIOD = ("--from", "2026-11-20", "--to", "2026-11-21")
PEOPLE = ("1", "2", "3")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Sell to three people, of whom the third has denied; send; and build again, so that dbt sees what was sent."""
    with Sandbox() as sandbox:
        sandbox.set_clock(datetime.fromisoformat(NOW))
        settings = {
            "UPLOADER_NOW": NOW,
            "META_ACCESS_TOKEN": sandbox.token,
            "UPLOADER__DESTINATIONS__META__DATASET_ID": "42",
            "UPLOADER__DESTINATIONS__META__BASE_URL": sandbox.url,
        }
        made = Project.copy(tmp_path_factory.mktemp("evidence"), settings)
        decisions = [decision("c-1"), decision("c-2"), decision("c-3", "denied")]
        build(made, decisions)
        made.uploader("send", "--yes")
        later = replace(made, settings=settings | {"UPLOADER_NOW": LATER})
        build(later, decisions)
        yield later


def build(made: Project, decisions: list[dict[str, Any]]) -> None:
    """Load the shop's tables and build the models."""
    tables = {
        "orders": [order(name, email=f"{name}@example.com") for name in PEOPLE],
        "consent": decisions,
        "sessions": [],
        "order_lines": [],
    }
    for name, rows in tables.items():
        path = made.folder / "raw" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, fieldnames=COLUMNS[name])
            table.writeheader()
            table.writerows(rows)
    made.uploader("load", "raw")
    made.dbt("build", *MODELS_ONLY)


def test_the_evidence_counts_what_left_and_what_it_rests_on(shop: Project) -> None:
    """Two events left on a consent that was granted; the third is held for its denial."""
    found = json.loads(shop.uploader("prove", *PERIOD, "--json"))
    (sent,) = found["sent"]
    assert (sent["rows"], sent["state"]) == (2, "acked")
    assert (sent["consent_regime"], sent["consent_at_event"]) == ("opt_in", "granted")
    assert [(row["hold_reason"], row["rows"]) for row in found["held"]] == [("consent_denied", 1)]
    assert found["violations"] == []
    assert found["inputs"]["raw.consent"]["rows"] == 3


def test_a_period_ends_at_present(shop: Project, tmp_path: Path) -> None:
    """Without --to, what left until now is counted."""
    found = json.loads(shop.uploader("prove", "--from", "2026-11-20", "--output", str(tmp_path / "now.json"), "--json"))
    assert [(row["state"], row["rows"]) for row in found["sent"]] == [("acked", 2)]


def test_the_evidence_names_the_rules_and_versions(shop: Project) -> None:
    """Each file that decides has its digest: another policy would be another proof."""
    found = json.loads(shop.uploader("prove", *PERIOD, "--json"))
    policy = (shop.folder / "seeds" / "consent_policy.csv").read_bytes()
    assert found["rules"]["seeds/consent_policy.csv"] == hashlib.sha256(policy).hexdigest()
    assert {"uploader", "dbt-core", "duckdb", "python"} <= set(found["versions"])


def test_the_file_is_the_evidence_and_holds_nobody(shop: Project) -> None:
    """The file can be handed on: its digest is told, and no person is in it."""
    told = shop.uploader("prove", *PERIOD, "--output", "proof.json")
    text = (shop.folder / "proof.json").read_bytes()
    assert hashlib.sha256(text).hexdigest() in told.replace("\n", "")
    assert not [word for word in (b"jane@example.com", b"c-1", b"purchase.1") if word in text]


def test_evidence_stands_where_nothing_clears_it_away(shop: Project) -> None:
    """`dbt clean` empties target/, and `forget` deletes the reports in it: neither may take the evidence along."""
    shop.uploader("prove", *PERIOD)
    (file,) = (shop.folder / "evidence").glob("20261120T000000_20261121T000000.json")
    assert json.loads(file.read_bytes())["violations"] == []


def test_the_digest_of_a_table_is_that_of_its_rows(shop: Project) -> None:
    """The same rows in another order are the same table; another row is another one."""
    before = json.loads(shop.uploader("prove", *PERIOD, "--json"))["inputs"]["raw.consent"]
    denials = [decision("c-3", "denied"), decision("c-2"), decision("c-1")]
    build(shop, denials)
    assert json.loads(shop.uploader("prove", *PERIOD, "--json"))["inputs"]["raw.consent"] == before


@pytest.fixture
def altered(shop: Project, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Change the warehouse for one test."""
    before = tmp_path / "before.duckdb"
    shutil.copy(shop.warehouse, before)

    def run(statement: str) -> None:
        with duckdb.connect(str(shop.warehouse)) as warehouse:
            warehouse.execute(statement)

    yield run
    shutil.copy(before, shop.warehouse)


def test_what_left_after_the_last_build_is_not_called_permitted(shop: Project, altered: Callable[[str], None]) -> None:
    """Nobody has judged it yet: exit code 75, and no word of permission."""
    altered("update sent_log set first_intent_at = '2026-11-20 13:30:00'")
    assert json.loads(shop.uploader("prove", *PERIOD, "--json", exit_code=75))["unjudged"] == 2
    told = shop.uploader("prove", *PERIOD, exit_code=75)
    assert ("2 events left after the last build" in told, "Nothing left without permission" in told) == (True, False)


def test_a_build_that_failed_proves_nothing(shop: Project, altered: Callable[[str], None]) -> None:
    """Its tables may be of several moments."""
    altered("insert into build_failures values ('model.conversions.audit_sent_without_consent', 'error', now())")
    assert "prove again" in json.loads(shop.uploader("prove", *PERIOD, "--json", exit_code=65))["error"]


def test_something_that_left_without_permission_is_told(shop: Project) -> None:
    """A denial from before the event that reaches the warehouse late makes the sending wrong: exit code 2."""
    late = decision("c-2", "denied", recorded_at="2026-11-20T10:59:00Z")
    build(shop, [decision("c-1"), decision("c-2"), late, decision("c-3", "denied")])
    (wrong,) = json.loads(shop.uploader("prove", *PERIOD, "--json", exit_code=2))["violations"]
    assert (wrong["event_name"], wrong["broken_rule"], wrong["rows"]) == ("Purchase", "consent_denied", 1)


@pytest.mark.parametrize("words", [("--from", "yesterday"), ("--from", "2026-11-21", "--to", "2026-11-20")])
def test_a_period_that_is_none_is_a_wrong_use(shop: Project, words: tuple[str, ...]) -> None:
    """The message names the option."""
    assert "--from" in json.loads(shop.uploader("prove", *words, "--json", exit_code=64))["error"]


def test_another_period_has_nothing(shop: Project, tmp_path: Path) -> None:
    """What left before or after it is not counted."""
    words = ("--from", "2026-11-01", "--to", "2026-11-02", "--output", str(tmp_path / "nothing.json"))
    found = json.loads(shop.uploader("prove", *words, "--json"))
    assert (found["sent"], found["held"], found["violations"]) == ([], [], [])
