"""The documentation is compared with the code, so that it cannot grow old unnoticed."""

from __future__ import annotations

import ast
import csv
import importlib.util
import re
import tomllib
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from tests.support import help_text as helps
from tests.support.repository import ROOT, matching, text
from uploader import destinations, errors
from uploader.settings import DestinationSettings, Settings

CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
PAGES = matching(r"(README\.md|docs/.*\.md|\.github/.*\.md)$")


def rows(name: str) -> list[list[str]]:
    """Return the cells of a table in the README, without its head."""
    table = helps.block(helps.README, name).strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def defaults(section: type[BaseModel], prefix: str) -> dict[str, Any]:
    """Return the settings of a table of uploader.toml with their defaults."""
    return {f"{prefix}.{name}": field.get_default() for name, field in section.model_fields.items()}


def expected_settings() -> dict[str, Any]:
    """Return every setting with its default; a destination's own defaults fill in."""
    meta = destinations.load("meta")
    found = defaults(DestinationSettings, "destinations.meta")
    own = {key: getattr(meta, key.rsplit(".", 1)[-1], value) for key, value in found.items() if value is None}
    sections = {name: field.annotation for name, field in Settings.model_fields.items() if name != "destinations"}
    for name, section in sections.items():
        assert isinstance(section, type)
        found |= defaults(section, name)
    return found | own


def test_every_setting_stands_in_the_readme_with_its_default() -> None:
    """No key is missing, none is made up, and the defaults are those of the code."""
    told = {key.strip("`"): default.strip("`") for key, default, _ in rows("settings")}
    expected = {key: _as_toml(value) for key, value in expected_settings().items()}
    assert told == expected


def _as_toml(value: Any) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def test_every_exit_code_stands_in_the_readme() -> None:
    """Those of the errors, and the few that are no errors."""
    told = {int(code) for cells in rows("exit codes") for code in cells[0].split(", ")}
    kinds = [kind for kind in errors.UploaderError.__subclasses__() if kind.__module__ == errors.__name__]
    raised = {kind.exit_code for kind in kinds}
    assert told == raised | {0, 2, 130, 143}


def test_every_hold_reason_stands_in_the_readme() -> None:
    """In the order in which they are tried."""
    content = yaml.safe_load(text("models/marts/fct_conversion_outbox.yml"))
    columns = {column["name"]: column for column in content["models"][0]["columns"]}
    accepted = next(
        test["accepted_values"] for test in columns["hold_reason"]["data_tests"] if "accepted_values" in test
    )
    assert [cells[0].strip("`") for cells in rows("hold reasons")] == accepted["arguments"]["values"]


def test_every_raw_column_stands_in_the_readme() -> None:
    """Tables, required and optional columns as staging reads them."""
    source = re.search(r"return\((\{.*\})\)", text("macros/staging/raw_contract.sql"), re.DOTALL)
    assert source
    contract = ast.literal_eval(source[1].replace(": true", ": True"))
    told = {cells[0].strip("`"): [re.findall(r"`(\w+)`", cell) for cell in cells[2:]] for cells in rows("raw tables")}
    assert told == {name: [list(table["required"]), list(table["optional"])] for name, table in contract.items()}


def test_the_readme_shows_the_help() -> None:
    """The list of commands is what the program prints."""
    assert helps.block(helps.README, "help") == helps.fenced(helps.help_text())


def test_the_page_of_commands_is_what_they_print() -> None:
    """Every command with every option; `python -m tests.support.help_text` writes it anew."""
    assert helps.COMMANDS.read_text(encoding="utf-8") == helps.commands_page()


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_documentation_exist(page: str) -> None:
    """Each `uploader …` that a page shows names a command, and only options that it has."""
    known = helps.command_names()
    for command, rest in re.findall(r"(?<![\w/-])uploader ([a-z]+)\b([^`\n|&;]*)", text(page)):
        if command in known:
            told = helps.help_text(command)
            assert [option for option in re.findall(r"--[a-z-]+", rest) if option not in told] == []
        else:
            assert f"`uploader {command}" not in text(page)


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    """A relative link names a file that is there."""
    folder = (ROOT / page).parent
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text(page))
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if "docs/commands" not in page])
def test_files_named_in_the_documentation_exist(page: str) -> None:
    """A path in backquotes that begins with a folder of ours is there; what a recipe is to make has a stand-in name."""
    names = re.findall(r"`((?:models|macros|seeds|tests|uploader|docs|\.github)/[\w./*<>{}-]+)`", text(page))
    to_make = re.compile(r"acme|donate|loyalty_id|<|\{|oracle")
    missing = [name for name in names if not to_make.search(name) and not any(ROOT.glob(name.rstrip("/")))]
    assert missing == []


def test_the_settings_that_the_readme_shows_are_read() -> None:
    """Its uploader.toml is valid."""
    example = re.search(r"```toml\n(.*?)```", text("README.md"), re.DOTALL)
    assert example
    found = Settings(**tomllib.loads(re.sub(r"(?m)^ +", "", example[1])))
    assert found.destination("meta").dataset_id == "1234567890"


def test_the_demo_that_the_readme_shows_is_the_shop_in_the_seeds() -> None:
    """Number of orders, and the order that is explained."""
    with (ROOT / "seeds/demo/orders.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["order_id"] for row in csv.DictReader(file)]
    assert f"raw.orders: {len(ids)} rows loaded" in helps.block(helps.README, "demo")
    explained = re.findall(r"^uploader explain (\d+)", text("README.md"), re.MULTILINE)
    assert explained
    assert set(explained) <= set(ids)


def test_the_comparison_of_platforms_is_theirs() -> None:
    """The page is what `python docs/make_platforms.py` writes, and each platform has a page of its own."""
    found = importlib.util.spec_from_file_location("make_platforms", ROOT / "docs" / "make_platforms.py")
    assert found
    assert found.loader
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    assert (ROOT / "docs" / "platforms.md").read_text(encoding="utf-8") == made.page()
    pages = {path.stem for path in (ROOT / "docs" / "platforms").glob("*.md")}
    assert pages == set(destinations.names())
