"""What every command begins with: settings, the time, the warehouse, and how to speak."""

from __future__ import annotations

import os
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from rich.console import Console

from uploader import settings as configuration
from uploader.clock import NOW_VARIABLE, Clock, pretended, system_clock
from uploader.ledger import Ledger, Store, store_for, verify
from uploader.report import printable
from uploader.warehouse import Profile, read_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from uploader.settings import Settings


class PlainConsole(Console):
    """A console on which rows and answers cannot move the cursor, change colours, or reorder what is read."""

    def render_str(self, text: str, **options: Any) -> Text:
        """See rich: every text passes here, in tables too. Only the ends of our own lines stay what they are."""
        return super().render_str("\n".join(map(printable, text.split("\n"))), **options)


errors = PlainConsole(stderr=True, highlight=False, emoji=False, soft_wrap=True)
"""Where people are told things; stdout carries results."""


@dataclass(frozen=True, slots=True)
class Context:
    """A command's surroundings."""

    settings: Settings
    profile: Profile
    clock: Clock
    run_id: str

    @classmethod
    def load(cls) -> Context:
        """Read the settings and the profile of the project in the current folder."""
        moment = pretended()
        if moment is not None:
            errors.print(f"{NOW_VARIABLE} is set: this run believes that it is {moment:%Y-%m-%d %H:%M:%S} UTC.")
        return cls(configuration.load(), read_profile(Path()), system_clock(), uuid.uuid4().hex[:12])

    @property
    def store(self) -> Store:
        """Where the sent log is."""
        return store_for(self.settings.ledger, environment())

    @contextmanager
    def sent_log(self) -> Iterator[Ledger | None]:
        """Open the sent log for reading; None where there is none yet. One that was lost is an error."""
        store = self.store
        if not store.exists():
            verify(store, None)
            yield None
            return
        ledger = Ledger(store, self.clock, self.run_id, read_only=True)
        try:
            yield ledger
        finally:
            ledger.close()


def output_folder() -> Path:
    """Where the quality reports of a run are written."""
    return Path("target") / "uploader"


def print_json(content: Any) -> None:
    """Write one JSON document to stdout."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
    sys.stdout.write(orjson.dumps(content, default=str, option=options).decode() + "\n")


def stdout() -> Console:
    """Return a console for results. Long lines stay whole when nobody watches."""
    watched = sys.stdout.isatty()
    return PlainConsole(highlight=False, emoji=False, soft_wrap=not watched, width=None if watched else 110)


def is_interactive() -> bool:
    """Tell whether a person sits at the terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def environment() -> dict[str, str]:
    """Return the environment of the process."""
    return dict(os.environ)
