"""How keys of the sent log are written for people: whole ids, nothing that a terminal would obey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uploader.report import printable

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console


def tell(console: Console, line: str, style: str | None = None) -> None:
    """Print a line as it is: not wrapped, and no word in it means anything to the console."""
    console.print(line, style=style, markup=False, emoji=False, soft_wrap=True)


def reason_text(reason: str | None) -> str:
    """Write a reason or a platform's code."""
    return printable(reason) if reason else "no code on record"


def moment_text(moment: datetime) -> str:
    """Write a time to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
