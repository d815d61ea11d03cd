"""The models: a full run beside one statement written by hand, and a run after a hundredth of the orders is new."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.bench import fixture
from benchmarks.measuring import ROOT, interleaved, median, run, say
from benchmarks.table import Figure, Result

if TYPE_CHECKING:
    from benchmarks.bench import Bench

_TINY: Final = 10
_STATEMENT: Final = ROOT / "benchmarks" / "by_hand.sql"


@dataclass(frozen=True, slots=True)
class Tables:
    """A shop's raw tables with the seeds, before any model ran, and a copy in which the models run."""

    folder: Path
    orders: int
    end: str

    @property
    def fresh(self) -> Path:
        """The file that no model ran in."""
        return self.folder / f"raw-{self.orders}.duckdb"

    @property
    def used(self) -> Path:
        """The file that models run in."""
        return self.folder / f"run-{self.orders}.duckdb"

    def make(self) -> None:
        """Make them, where there are none."""
        if not self.fresh.exists():
            say(f"  making the raw tables of {self.orders:,} orders")
            self.folder.mkdir(parents=True, exist_ok=True)
            fixture("shop", self.used, self.orders, self.end)
            self.dbt("seed")
            shutil.copy(self.used, self.fresh)

    def dbt(self, command: str) -> float:
        """Run a command of dbt in the copy; return its seconds.

        Where the file, or any other part of the profile, changes, dbt parses everything anew: so each size has its own
        file and its own target folder, and all runs but the first find what dbt kept.
        """
        dbt = Path(sys.executable).parent / "dbt"
        where = [f"--{name}={path}" for name, path in (("project-dir", ROOT), ("profiles-dir", ROOT))]
        where += [f"--{name}-path={self.folder / f'{name}-{self.orders}'}" for name in ("target", "log")]
        environment = {"UPLOADER_WAREHOUSE": str(self.used)}
        return run([dbt, "--no-use-colors", command, *where], environment).seconds

    def full(self) -> float:
        """Run all models where none ran before."""
        shutil.copy(self.fresh, self.used)
        return self.dbt("run")

    def again(self) -> float:
        """Run all models where `full` has just run them, after a hundredth of the orders came anew."""
        later = (datetime.fromisoformat(self.end) + timedelta(minutes=1)).isoformat()
        fixture("more", self.used, max(self.orders // 100, 1), later, self.orders)
        return self.dbt("run")

    def by_hand(self) -> float:
        """Run the one statement where no model ran."""
        shutil.copy(self.fresh, self.used)
        done = run([sys.executable, "-m", "benchmarks.contenders.by_hand", self.used, _STATEMENT])
        return float(done.told["seconds"])


def models(bench: Bench) -> Result:
    """Measure both; what dbt takes for ten orders is its start-up, and is taken off each kind of run."""
    end = (datetime.fromisoformat(bench.as_of) - timedelta(minutes=10)).isoformat()
    tiny, shop = (Tables(bench.folder / "work" / "dbt", orders, end) for orders in (_TINY, bench.events))
    for tables in (tiny, shop):
        tables.make()
    contenders = {"start-up": tiny.full, "start-up, again": tiny.again}
    if _STATEMENT.exists():
        contenders["by hand"] = shop.by_hand
    rounds = interleaved(bench.rounds, {**contenders, "dbt run": shop.full, "dbt run, again": shop.again})
    whole, again = (median(rounds[f"dbt run{kind}"]) - median(rounds[f"start-up{kind}"]) for kind in ("", ", again"))
    by_hand = median(rounds["by hand"]) if "by hand" in rounds else None
    note = "by_hand.sql missing" if by_hand is None else f"by hand {by_hand:.2f} s"
    ratio = None if by_hand is None else whole / by_hand
    startup = median(rounds["start-up"])
    note_again = f"{again:.2f} s" if whole > 0 and again > 0 else "too few orders: dbt's own time hides it"
    figures = [
        Figure("dbt run: its start-up", startup, "s"),
        Figure("dbt run: without its start-up", whole, "s"),
        Figure("dbt run: against one statement by hand", ratio, "×", 2.5, note=note),
        Figure(
            "dbt run: 1 % new, of a full run",
            again / whole * 100 if whole > 0 and again > 0 else None,
            "%",
            15,
            note=note_again,
        ),
    ]
    return Result(f"dbt run, {bench.events:,} orders, then 1 % more; without start-up and data tests", figures, rounds)
