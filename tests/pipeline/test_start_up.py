"""A command imports what it needs, when it needs it: each library that it does without is time for who waits."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.shop import Shop, orders
from uploader.cli.commands import COMMANDS

FRAMES = {"duckdb", "numpy", "polars", "pyarrow", "pydantic", "pydantic_settings"}
"""What only those commands need that look at the warehouse or at the settings."""
REQUESTS = {"requests", "urllib3"}
JUDGING = {"dbt", "great_expectations", "pandas", "uploader.quality"}
ENCODING = {"pyarrow.compute"}
TELLING = "import json, sys; from uploader.cli.app import run; code = run({words}); print(json.dumps([*sys.modules]))"


def imported(*words: str) -> set[str]:
    """Run a command in a process of its own, and name the modules that it imported."""
    script = TELLING.format(words=list(words))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_help_needs_no_command(words: tuple[str, ...]) -> None:
    """The list of commands is shown without any of them, and without what they work with."""
    found = imported(*words)
    assert found & (FRAMES | REQUESTS | JUDGING) == set()
    assert found & {f"uploader.cli.{name}" for name in COMMANDS} == set()


@pytest.mark.parametrize("command", ["plan", "status", "send"])
def test_where_nothing_is_new_nothing_is_made_ready(shop: Shop, command: str) -> None:
    """Neither for judging rows, nor for writing them, nor for posting; and of the commands only the one."""
    shop.sells(*orders(3))
    assert shop.json("send")[1]["destinations"]["meta"]["acked"] == 3
    found = imported(command)
    assert found & (REQUESTS | JUDGING | ENCODING) == set()
    assert found & {f"uploader.cli.{name}" for name in COMMANDS} == {f"uploader.cli.{command}"}


def test_a_plan_posts_and_judges_nothing(shop: Shop) -> None:
    """What is due is counted without what judges and sends it, which takes seconds to import."""
    shop.sells(*orders(3))
    assert imported("plan") & (REQUESTS | JUDGING) == set()


def test_what_was_judged_is_sent_without_what_judges(shop: Shop) -> None:
    """Arrow would import pandas to hand its columns on, which takes as long as to send some thousand events."""
    shop.sells(*orders(3))
    assert shop.run("check")[0] == 0
    assert imported("send") & JUDGING <= {"uploader.quality"}
    assert shop.posted() == 1
