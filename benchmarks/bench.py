"""What the sections share: how many events and rounds, where the interpreters are, and shops with marts in a folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from benchmarks.measuring import ROOT, Failed, Run, run, say

NOT_INSTALLED: Final = "not installed"
OTHER: Final = "reddit"
"""The destination beside Meta, where there are two."""
TWO: Final = "also"
UNORDERED: Final = "shuffle"
_NOWHERE: Final = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Shop:
    """A folder as a user has it: marts, profile, and where the uploader leaves its files."""

    folder: Path
    events: int

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.folder / "warehouse.duckdb"

    def environment(self, url: str, other_url: str = _NOWHERE) -> dict[str, str]:
        """Return the settings of a run that sends to ``url``, and what is for `OTHER` to ``other_url``."""
        found = {}
        for name, dataset_id, address in (("META", "42", url), (OTHER.upper(), "a2_bench", other_url)):
            about = f"UPLOADER__DESTINATIONS__{name}"
            found |= {
                f"{name}_ACCESS_TOKEN": "token",
                f"{about}__DATASET_ID": dataset_id,
                f"{about}__BASE_URL": address,
            }
        return found

    def uploader(self, *words: str, url: str = _NOWHERE) -> Run:
        """Run a command of the uploader."""
        return run([sys.executable, "-m", "uploader", *words], self.environment(url), self.folder)

    def part(self, *words: str) -> Run:
        """Run one part of the uploader alone."""
        return run([sys.executable, "-m", "benchmarks.contenders.ours", *words], self.environment(""), self.folder)

    def check(self) -> None:
        """Leave a passing verdict where something is due, as the step before `send` does."""
        if self.events:
            self.uploader("check")

    def forget(self) -> None:
        """Let nothing have been sent yet."""
        for path in self.folder.glob("sent_log.sqlite*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        fixture("forget", self.warehouse)

    def send(self, url: str, other_url: str = _NOWHERE, code: int = 0, only: str | None = None) -> Run:
        """Send everything for the first time; raise `Failed` where an event is left, or another exit code comes."""
        self.forget()
        self.check()
        command = [sys.executable, "-m", "uploader", "send", "--json", "--deadline", "600000"]
        command += ["--destination", only] if only else []
        done = run(command, self.environment(url, other_url), self.folder, code=code)
        require(done.output, f'"acked": {self.events},')
        return done


def fixture(*words: str | Path | int) -> Run:
    """Make what is measured upon."""
    return run([sys.executable, "-m", "benchmarks.fixtures", *map(str, words)])


def require(output: str, words: str) -> None:
    """Raise `Failed` where a run did not do its work."""
    if words not in output:
        raise Failed(f"{words!r} is not among what it said: {output.strip()[-1500:]}")


@dataclass(frozen=True)
class Bench:
    """One run of the benchmarks."""

    events: int
    rounds: int
    folder: Path
    rivals: Path
    """The environment that the rivals live in."""

    @cached_property
    def as_of(self) -> str:
        """The time that all marts were built at."""
        return datetime.now(UTC).replace(tzinfo=None, microsecond=0).isoformat()

    def part_of(self, divisor: int) -> int:
        """Return a part of the events, one at least."""
        return max(self.events // divisor, 1)

    def shop(self, events: int, recent: int | None = None, also: str | None = None) -> Shop:
        """Make a shop, or take the one of that size that was made before.

        ``also``: `TWO`, which sends to `OTHER` too, or `UNORDERED`, whose ids are like UUIDs.
        """
        name = "-".join(["shop", *(str(word) for word in (events, recent, also) if word is not None)])
        shop = Shop(self.folder / "work" / name, events)
        if not shop.folder.exists():
            say(f"  making marts of {events:,} events")
            shop.folder.mkdir(parents=True)
            for file in ("dbt_project.yml", "profiles.yml"):
                shutil.copy(ROOT / file, shop.folder)
            fixture("marts", shop.warehouse, events, self.as_of, *([recent] if recent is not None else []))
            if also is not None:
                fixture(also, shop.warehouse, *([OTHER] if also == TWO else []))
        return shop

    @cached_property
    def python_of_sdk(self) -> Path | None:
        """An interpreter with Meta's SDK; the tests' environment has it too."""
        own = Path(sys.executable) if importlib.util.find_spec("facebook_business") else None
        return self.python_of_drt or own

    @cached_property
    def python_of_drt(self) -> Path | None:
        """An interpreter with drt."""
        path = self.rivals / "bin" / "python"
        return path if path.exists() else None

    def rival(self, python: Path, name: str, *words: str | Path, on_one_core: bool = False) -> Run:
        """Run a rival in a folder of its own, which is its home too."""
        home = self.folder / "work" / name
        home.mkdir(parents=True, exist_ok=True)
        environment = {"HOME": str(home), "META_ACCESS_TOKEN": "token", "PATH": os.environ["PATH"]}
        command = [python, "-m", f"benchmarks.contenders.{name}", *words]
        return run(command, environment, home, on_one_core=on_one_core)
