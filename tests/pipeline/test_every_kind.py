"""One event of every kind, the whole way: raw tables in, the JSON written by hand from Meta's documents out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.dbt_project import MODELS_ONLY
from tests.support.project import Project
from uploader.sandbox import Sandbox

GOLDEN = Path(__file__).parent / "golden"
KINDS = sorted(GOLDEN.glob("*.json"))
NOW = "2026-11-20T13:00:00+00:00"
DATASET = "42"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Run Meta's stand-in, whose clock shows the shop's time."""
    with Sandbox() as running:
        running.set_clock(datetime.fromisoformat(NOW))
        yield running


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Project:
    """Load the shop of ``golden/shop``, in which each kind happened to a person of its own, and build."""
    settings = {
        "UPLOADER_NOW": NOW,
        "META_ACCESS_TOKEN": sandbox.token,
        "UPLOADER__DESTINATIONS__META__DATASET_ID": DATASET,
        "UPLOADER__DESTINATIONS__META__BASE_URL": sandbox.url,
    }
    made = Project.copy(tmp_path_factory.mktemp("kinds"), settings)
    made.uploader("load", str(GOLDEN / "shop"))
    made.dbt("build", *MODELS_ONLY)
    return made


@pytest.fixture(scope="module")
def shown(project: Project) -> dict[str, dict[str, Any]]:
    """Return what would leave, by event id."""
    told = json.loads(project.uploader("plan", "--show", "1000", "--json"))
    return {event["event_id"]: event for event in told["show"]["meta"]}


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path.stem)
def test_the_event_is_the_one_written_by_hand(path: Path, shown: dict[str, dict[str, Any]]) -> None:
    """Every key, every value, and their order."""
    written = json.loads(path.read_text(encoding="utf-8"))
    assert json.dumps(shown.get(written["event_id"])) == json.dumps(written)


def test_nothing_else_leaves(shown: dict[str, dict[str, Any]]) -> None:
    """Each event of the shop has its file; the order that is not confirmed is held."""
    assert set(shown) == {json.loads(path.read_text(encoding="utf-8"))["event_id"] for path in KINDS}


def test_every_kind_is_delivered_and_counted_once(project: Project, sandbox: Sandbox) -> None:
    """The stand-in takes them all and doubts none of them; a second run sends nothing."""
    project.uploader("send", "--yes")
    figures = sandbox.counts()[DATASET]
    assert (figures["counted"], figures["refused"], figures["warnings"]) == (len(KINDS), {}, {})
    assert json.loads(project.uploader("send", "--yes", "--json"))["destinations"]["meta"]["already"] == len(KINDS)
    assert sandbox.counts()[DATASET]["received"] == len(KINDS)
