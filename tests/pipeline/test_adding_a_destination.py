"""The recipe for one more destination, followed to the letter in a copy of the project."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.test_adding_an_event import write
from tests.support.dbt_project import MODELS_ONLY, decision, order
from tests.support.project import ROOT, Project
from tests.support.repository import text

NOW = "2026-11-20T12:00:00+00:00"
MODULE = '''"""Acme, a platform that takes a person's e-mail address and what was paid."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

import polars as pl

from uploader.answers import json_object
from uploader.destinations.interface import (
    Account, Body, Destination, Limits, Outcome, Request, Response, Verdict, Windows,
)
from uploader.destinations.shared import address, bearer, outcome_by_status, unconfirmed


class Acme(Destination):
    """Acme."""

    name: ClassVar[str] = "acme"
    base_url: ClassVar[str] = "https://api.acme.example"
    hosts: ClassVar[tuple[str, ...]] = ("api.acme.example",)
    api_version: ClassVar[str] = "1"
    token_env: ClassVar[str] = "ACME_TOKEN"
    has_test_mode: ClassVar[bool] = False
    windows: ClassVar[Windows] = Windows(dedup=None)
    limits: ClassVar[Limits] = Limits(events=100, bytes=1_000_000)
    event_names: ClassVar[Mapping[str, str]] = MappingProxyType({"Purchase": "bought"})

    def body(self, account: Account) -> Body:
        """See `Destination.body`."""
        return {
            "what": self.event_name(account),
            "id": pl.col("event_id"),
            "who": pl.col("email_sha256"),
            "paid": {"amount": pl.col("value"), "currency": pl.col("currency")},
        }

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:
        """See `Destination.request`."""
        url = address(account, "acme", account.dataset_id)
        return Request(url, b"".join((b"[", events, b"]")), secret_headers=bearer(account))

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`."""
        if response.status >= 400:
            return outcome_by_status(response)
        is_taken = json_object(response.body).get("taken") == sent
        return Outcome(Verdict.ACCEPTED) if is_taken else unconfirmed(response)


DESTINATION: Final = Acme()
'''
STAND_IN = '''"""Acme's rules."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal

from uploader.sandbox.received import Received, Upload
from uploader.sandbox.stand_in import StandIn, bearer
from uploader.sandbox.wire import json_answer


class Platform(StandIn):
    """See `uploader.sandbox.platforms.Platform`."""

    path = re.compile(r"/acme/(?P<dataset_id>[^/]+)")

    def judge(self, call, now, trace_id, fault):
        """See `uploader.sandbox.platforms.Platform`."""
        dataset_id = self.dataset_of(call.path)
        if not self.is_token(bearer(call)):
            return Upload(dataset_id, json_answer({}, 401), refused="401")
        events = json.loads(call.body)
        taken = tuple(
            Received(event["what"], event["id"], int(now.timestamp()), "website", None,
                     Decimal(str(event["paid"]["amount"])), event["paid"]["currency"], ("who",),
                     key=(event["id"],), window=timedelta(days=1))
            for event in events
        )
        return Upload(dataset_id, json_answer({"taken": len(events)}), taken, sent=len(events))
'''
ROW: dict[str, Any] = {"event_id": "purchase.7", "value": "9.50", "currency": "EUR", "email_sha256": "a" * 64}
EVENT: dict[str, Any] = {
    "what": "bought",
    "id": "purchase.7",
    "who": "a" * 64,
    "paid": {"amount": 9.5, "currency": "EUR"},
}
ANSWERS = [
    {"why": "taken", "status": 200, "body": {"taken": 3}, "verdict": "accepted"},
    {"why": "not all taken", "status": 200, "body": {"taken": 2}, "verdict": "in_doubt"},
    {"why": "wrong form", "status": 400, "body": "", "verdict": "refused"},
    {"why": "wrong token", "status": 401, "body": "", "verdict": "blocked"},
    {"why": "too many", "status": 429, "body": "", "verdict": "throttled"},
]
SEND = """
import json, os, subprocess, sys
from datetime import datetime
from uploader.sandbox import Sandbox
with Sandbox() as sandbox:
    sandbox.set_clock(datetime.fromisoformat(os.environ["UPLOADER_NOW"]))
    about = "UPLOADER__DESTINATIONS__ACME__"
    env = dict(os.environ) | {about + "DATASET_ID": "7", about + "BASE_URL": sandbox.url, "ACME_TOKEN": sandbox.token}
    command = [sys.executable, "-m", "uploader", "send", "--json"]
    sent = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    print(json.dumps({"sent": json.loads(sent.stdout), "counts": sandbox.counts()["7"]}, default=str))
"""


def digests(folder: Path) -> dict[str, str]:
    """Return what every file of the project holds, by its path."""
    kinds = ("*.py", "*.sql", "*.csv", "*.yml", "*.md", "*.json")
    names = ("models", "macros", "seeds", "docs", "uploader", "tests")
    files = [path for name in names for kind in kinds for path in (folder / name).rglob(kind)]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def files_of_the_recipe() -> set[str]:
    """Return the files that the steps of the recipe name to be made or written to."""
    recipe = text(".github/CONTRIBUTING.md").split("### Add a destination")[1].split("\n### ")[0]
    named = set(re.findall(r"`((?:uploader|seeds|docs|tests)/[^` ]+\.(?:py|csv|md|json))`", recipe))
    return {name for name in named if "acme" in name or name.startswith("seeds/")}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Copy the project, follow the recipe, and load an order with a page that the person looked at."""
    made = Project.copy(tmp_path_factory.mktemp("recipe"), {"UPLOADER_NOW": NOW})
    for name in ("docs", "uploader", "tests/destinations", "tests/support"):
        shutil.copytree(ROOT / name, made.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", made.folder)
    before = digests(made.folder)
    follow(made.folder)
    after = digests(made.folder)
    assert {path for path in after if before.get(path) != after[path]} == files_of_the_recipe()
    raw = {"orders": [order("1")], "consent": [decision("c-1")], "sessions": [], "order_lines": []}
    for name, rows in raw.items():
        write(made.folder / "raw" / f"{name}.csv", rows, name)
    made.uploader("load", "raw")
    choice = "enabled_destinations: acme"
    made.dbt("build", *MODELS_ONLY, "--vars", choice)
    return made


def follow(folder: Path) -> None:
    """Do what the recipe says."""
    cases = folder / "tests" / "destinations"
    (cases / "golden" / "acme").mkdir()
    case = json.dumps({"about": "What Acme takes", "row": ROW, "event": EVENT})
    for path, content in {
        folder / "uploader" / "destinations" / "acme.py": MODULE,
        folder / "uploader" / "sandbox" / "platforms" / "acme.py": STAND_IN,
        cases / "golden" / "acme" / "web_full.json": case,
        cases / "golden" / "acme" / "minimal.json": case,
        cases / "answers" / "acme.json": json.dumps(ANSWERS),
        cases / "test_acme.py": '"""Acme."""\n',
        folder / "docs" / "platforms" / "acme.md": "# Acme\n",
    }.items():
        path.write_text(content, encoding="utf-8")
    with (folder / "seeds" / "destinations.csv").open("a", encoding="utf-8") as seed:
        seed.write("acme,,marketing,7,7,any_key,email_sha256,true,false,false,a year\n")
    with (folder / "seeds" / "event_routes.csv").open("a", encoding="utf-8") as seed:
        seed.write("Purchase,acme,,An order\n")


def test_the_tests_of_all_destinations_hold(project: Project) -> None:
    """They find the new one, and its files, by themselves."""
    files = [f"tests/destinations/test_{name}.py" for name in ("contract", "golden", "answers")]
    told = project.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", "acme")
    assert int(re.search(r"(\d+) passed", told)[1]) > 25  # type: ignore[index]


def test_events_reach_the_new_destination(project: Project) -> None:
    """From the raw table to what its stand-in counted, under the same rules as everywhere."""
    told = json.loads(project.run(sys.executable, "-c", SEND))
    assert told["sent"]["destinations"]["acme"]["acked"] == told["counts"]["counted"] == 1
    assert float(told["counts"]["by_event"]["bought"]["value"]["EUR"]) == 10
