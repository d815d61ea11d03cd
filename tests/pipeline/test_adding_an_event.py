"""The recipe for one more event, followed to the letter in a copy of the project."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.dbt_project import COLUMNS, MODELS_ONLY, decision, order
from tests.support.project import ROOT, Project
from tests.support.repository import text

NOW = "2026-11-20T12:00:00+00:00"

MODEL = """with

web_events as (

    select * from {{ ref('int_web_events__latest') }}

),

donations as (

    select
        {{ event_record(
            {'event_name': "'Donate'"},
            web_event_columns('web_events'),
            columns_of('web_events', ['value', 'currency'])
        ) }}
    from web_events
    where event_name = 'Donate'

)

select * from donations
"""
PROPERTIES = """models:
  - name: int_events__donate
    description: Donations on the website, raw. The columns are those of `event_columns()`. One row per donation.
    config:
      meta:
        event:
          name: Donate
          trigger: Somebody donates.
          source: web_events
          browser: "fbq('track', 'Donate', {value: 20, currency: 'EUR'}, {eventID: id})"
          server: website
          fields: [value, currency]

unit_tests:
  - name: donations_come_from_the_pixel
    description: Other events of the page are not meant.
    model: int_events__donate
    given:
      - input: ref('int_web_events__latest')
        rows:
          - {web_event_id: w1, row_key: w1, event_name: Donate, value: 20, currency: EUR}
          - {web_event_id: w2, row_key: w2, event_name: PageView}
    expect:
      rows:
        - {event_name: Donate, natural_key: w1, value: 20, currency: EUR}
"""
WEB_EVENT = {
    "web_event_id": "w1",
    "event_name": "donate",
    "occurred_at": "2026-11-20T11:00:00Z",
    "event_id": "D-1",
    "customer_id": "c-1",
    "email": "test",
    "value": "20",
    "currency": "EUR",
    "country_code": "DE",
}


def digests(folder: Path) -> dict[str, str]:
    """Return what every file of the project holds, by its path."""
    files = [path for name in ("models", "macros", "seeds", "docs") for path in (folder / name).rglob("*")]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()
    }


def files_of_the_recipe() -> set[str]:
    """Return the files that the numbered steps of the recipe name."""
    recipe = text(".github/CONTRIBUTING.md").split("### Add an event")[1].split("\n### ")[0]
    steps = re.findall(r"^\d\. (.*?)(?=^\d\. |\n\n)", recipe, flags=re.DOTALL | re.MULTILINE)
    return {re.findall(r"`((?:models|macros|seeds|docs)/[^`]+\.\w+)`", step)[0] for step in steps}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Copy the project, follow the recipe, and load one donation."""
    meta = "UPLOADER__DESTINATIONS__META__"
    settings = {"UPLOADER_NOW": NOW, f"{meta}DATASET_ID": "42", f"{meta}BASE_URL": "http://127.0.0.1:9"}
    made = Project.copy(tmp_path_factory.mktemp("recipe"), settings)
    shutil.copytree(ROOT / "docs", made.folder / "docs")
    before = digests(made.folder)
    follow(made)
    after = digests(made.folder)
    assert {path for path in after if before.get(path) != after[path]} == files_of_the_recipe()
    raw = {"orders": [order("1")], "consent": [decision("c-1")], "web_events": [WEB_EVENT], "sessions": []}
    for name, rows in ({"order_lines": []} | raw).items():
        write(made.folder / "raw" / f"{name}.csv", rows, name)
    made.uploader("load", "raw")
    made.dbt("build", *MODELS_ONLY)
    made.dbt("test", "--select", "int_events__donate,test_type:unit")
    return made


def follow(made: Project) -> None:
    """Do what the recipe says."""
    events = made.folder / "models" / "intermediate" / "events"
    (events / "int_events__donate.sql").write_text(MODEL, encoding="utf-8")
    (events / "int_events__donate.yml").write_text(PROPERTIES, encoding="utf-8")
    union = events / "int_events__unioned.sql"
    listed = union.read_text(encoding="utf-8")
    union.write_text(listed.replace("] %}", "    ref('int_events__donate'),\n] %}", 1), encoding="utf-8")
    with (made.folder / "seeds" / "event_routes.csv").open("a", encoding="utf-8") as routes:
        routes.write("Donate,meta,,A donation on the website\n")
    made.run(sys.executable, "docs/make_events.py")


def write(path: Path, rows: list[dict[str, str]], name: str) -> None:
    """Write a raw table."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else list(COLUMNS[name]))
        table.writeheader()
        table.writerows(rows)


def test_the_new_event_leaves(project: Project) -> None:
    """The event goes through every step that the others go through, without another change."""
    shown = json.loads(project.uploader("plan", "--show", "10", "--json"))["show"]["meta"]
    (donation,) = [event for event in shown if event["event_name"] == "Donate"]
    assert (donation["event_id"], donation["custom_data"]) == ("D-1", {"value": 20, "currency": "EUR"})


def test_the_map_names_it(project: Project) -> None:
    """The documentation is made from the models."""
    assert "| [Donate](../models/intermediate/events/int_events__donate.sql) |" in (
        project.folder / "docs" / "events.md"
    ).read_text(encoding="utf-8")
