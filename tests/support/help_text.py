"""The commands' help as it stands in the documentation. Run it to write the pages anew:

python -m tests.support.help_text
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from typing import TYPE_CHECKING
from unittest import mock

import typer

from tests.support.repository import ROOT
from uploader.cli import app, commands

if TYPE_CHECKING:
    from pathlib import Path

README = ROOT / "README.md"
COMMANDS = ROOT / "docs" / "commands.md"


def command_names() -> list[str]:
    """Name the commands in alphabetical order."""
    return sorted(commands.COMMANDS)


def help_text(*words: str) -> str:
    """Return what ``uploader WORDS --help`` prints on a narrow terminal."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), mock.patch.dict(os.environ, COLUMNS="80"):
        application = app.application(app.command_in(list(words)))
        typer.main.get_command(application)([*words, "--help"], prog_name="uploader", standalone_mode=False)
    return "\n".join(line.rstrip() for line in printed.getvalue().strip().splitlines())


def block(page: Path, name: str) -> str:
    """Return what stands between a page's markers ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``."""
    found = re.search(
        rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", page.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found, f"{page} has no block {name}"
    return found[1]


def fenced(text: str) -> str:
    """Show a text as it is."""
    return f"```text\n{text}\n```\n"


def commands_page() -> str:
    """Return the page of all commands."""
    parts = [f"## {name}\n\n{fenced(help_text(name))}" for name in command_names()]
    about = "Written by `python -m tests.support.help_text`; a test compares it with the commands.\n"
    return "\n".join(["# Commands\n", about, *parts])


def main() -> None:
    """Write the pages."""
    COMMANDS.write_text(commands_page(), encoding="utf-8")
    text, old = README.read_text(encoding="utf-8"), block(README, "help")
    marked = "<!-- help: begin -->\n{}<!-- help: end -->"
    README.write_text(text.replace(marked.format(old), marked.format(fenced(help_text()))), encoding="utf-8")


if __name__ == "__main__":
    main()
