"""How commands speak: results to stdout, everything else to stderr, and nothing that a terminal would obey."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import orjson
from rich.console import Console

from uploader.report import printable

if TYPE_CHECKING:
    from rich.text import Text


class PlainConsole(Console):
    """A console on which rows and answers cannot move the cursor, change colours, or reorder what is read."""

    def render_str(self, text: str, **options: Any) -> Text:
        """See rich: every text passes here, in tables too. Only the ends of our own lines stay what they are."""
        return super().render_str("\n".join(map(printable, text.split("\n"))), **options)


errors = PlainConsole(stderr=True, highlight=False, emoji=False, soft_wrap=True)
"""Where people are told things; stdout carries results."""


def print_json(content: Any) -> None:
    """Write one JSON document to stdout."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
    try:
        text = orjson.dumps(content, default=str, option=options).decode()
    except TypeError:  # the name of a file that is no UTF-8
        text = json.dumps(content, default=str, indent=2)
    sys.stdout.write(text + "\n")


def stdout() -> Console:
    """Return a console for results. Long lines stay whole when nobody watches."""
    watched = sys.stdout.isatty()
    return PlainConsole(highlight=False, emoji=False, soft_wrap=not watched, width=None if watched else 110)


def is_interactive() -> bool:
    """Tell whether a person sits at the terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()
