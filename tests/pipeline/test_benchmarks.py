"""`make bench`, with a few events and one round: that everything in it still runs. It says nothing of speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.sections import SECTIONS
from tests.support.repository import ROOT

# A quarter of these, and the thousand that `plan` looks at, are the same shop: it is made and judged once.
EVENTS = 4_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run all sections, without what others send with; Meta's SDK is in this environment."""
    path = tmp_path_factory.mktemp("bench")
    asked = {"EVENTS": str(EVENTS), "ROUNDS": "1", "FOLDER": str(path), "RIVALS": str(path / "none")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BENCH_")}
    environment = kept | {f"BENCH_{name}": value for name, value in asked.items()} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "benchmarks"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def sections(folder: Path) -> list[dict[str, Any]]:
    """Read what it wrote."""
    found: list[dict[str, Any]] = json.loads((folder / "bench.json").read_text())["sections"]
    return found


def test_every_section_has_a_figure(sections: list[dict[str, Any]]) -> None:
    """Each of them was measured, and every round behind it took its time."""
    assert len(sections) == len(SECTIONS)
    silent = [
        section["title"]
        for section in sections
        if not any(figure["value"] is not None and figure["value"] > 0 for figure in section["figures"])
    ]
    assert silent == []
    assert all(value > 0 for section in sections for rounds in section["rounds"].values() for value in rounds)


def test_who_is_not_installed_is_named(sections: list[dict[str, Any]]) -> None:
    """A missing rival is told beside its goal, and the SDK, which is here, has its figure."""
    figures = {figure["name"]: figure for section in sections for figure in section["figures"]}
    for kind, drt in (("encode", "drt's builder"), ("send", "drt")):
        assert figures[f"{kind}: against {drt}"]["note"] == "not installed"
        assert figures[f"{kind}: against Meta's SDK"]["value"] > 0


def test_the_chart_has_a_bar_for_each_goal(folder: Path, sections: list[dict[str, Any]]) -> None:
    """The picture is well-formed, and shows every figure that can be compared with its goal."""
    bars = [
        found
        for found in ET.parse(folder / "bench.svg").iter("{http://www.w3.org/2000/svg}rect")  # noqa: S314 - our own file
        if found.get("class") in {"yes", "no"}
    ]
    judged = [figure for section in sections for figure in section["figures"] if figure["met"] is not None]
    assert len(bars) == len(judged) > 0


def test_nothing_is_left_but_the_results(folder: Path) -> None:
    """Shops with millions of rows do not stay behind."""
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["bench.json", "bench.svg", "bench.txt"]
