"""What every command begins with: settings, the time and the warehouse."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uploader import settings as configuration
from uploader.cli.console import errors
from uploader.clock import NOW_VARIABLE, Clock, pretended, system_clock
from uploader.ledger import Ledger, Store, store_for, verify
from uploader.warehouse import Profile, read_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.settings import Settings


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


def environment() -> dict[str, str]:
    """Return the environment of the process."""
    return dict(os.environ)
