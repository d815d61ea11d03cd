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
    from collections.abc import Mapping

    from benchmarks.bench import Bench

_TINY: Final = 10
_STATEMENT: Final = ROOT / "benchmarks" / "by_hand.sql"


@dataclass(frozen=True, slots=True)
class Tables:
    """A shop's raw tables with the seeds, before any model ran."""

    folder: Path
    orders: int
    end: str

    @property
    def fresh(self) -> Path:
        """The file that no model ran in."""
        return self.folder / f"raw-{self.orders}.duckdb"

    @property
    def used(self) -> Path:
        """The file that all runs work in: one with another name would make dbt parse everything anew."""
        return self.folder / "run.duckdb"

    def make(self, seeded: Path) -> None:
        """Make them beside the seeds."""
        say(f"  making the raw tables of {self.orders:,} orders")
        shutil.copy(seeded, self.fresh)
        fixture("shop", self.fresh, self.orders, self.end)

    def dbt(self, command: str) -> float:
        """Run a command of dbt; return its seconds."""
        dbt = Path(sys.executable).parent / "dbt"
        where = [f"--{name}={path}" for name, path in (("project-dir", ROOT), ("profiles-dir", ROOT))]
        where += [f"--{name}-path={self.folder / name}" for name in ("target", "log")]
        return run([dbt, "--no-use-colors", command, *where], {"UPLOADER_WAREHOUSE": str(self.used)}).seconds

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
    folder = bench.folder / "work" / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    tiny, shop = (Tables(folder, orders, end) for orders in (_TINY, bench.events))
    tiny.dbt("seed")
    seeded = folder / "seeded.duckdb"
    shutil.copy(tiny.used, seeded)
    for tables in (tiny, shop):
        tables.make(seeded)
    contenders = {"start-up": tiny.full, "start-up, again": tiny.again}
    if _STATEMENT.exists():
        contenders["by hand"] = shop.by_hand
    rounds = interleaved(bench.rounds, {**contenders, "dbt run": shop.full, "dbt run, again": shop.again})
    title = f"dbt run, {bench.events:,} orders, then 1 % more; without start-up and data tests"
    return Result(title, _figures({name: median(values) for name, values in rounds.items()}), rounds)


def _figures(spent: Mapping[str, float]) -> list[Figure]:
    """Take the start-up off. With few orders nothing is left, and nothing can be said."""
    whole, again = (spent[f"dbt run{kind}"] - spent[f"start-up{kind}"] for kind in ("", ", again"))
    can_tell, hidden = whole > 0 and again > 0, "too few orders: dbt's own time hides theirs"
    by_hand = spent.get("by hand")
    return [
        Figure("dbt run: its start-up", spent["start-up"], "s"),
        Figure("dbt run: without its start-up", whole if can_tell else None, "s", note="" if can_tell else hidden),
        Figure(
            "dbt run: against one statement by hand",
            whole / by_hand if by_hand and can_tell else None,
            "×",
            2.5,
            note=f"{by_hand:.2f} s by hand" if by_hand else "by_hand.sql missing",
        ),
        Figure(
            "dbt run: 1 % new, of a full run",
            again / whole * 100 if can_tell else None,
            "%",
            15,
            note=f"{again:.2f} s" if can_tell else hidden,
        ),
    ]
