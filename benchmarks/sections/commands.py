"""What people wait for: `uploader check`, and `uploader plan` when there is nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.measuring import interleaved, median
from benchmarks.receiver import receiver
from benchmarks.table import Figure, Result

if TYPE_CHECKING:
    from benchmarks.bench import Bench

GIB: Final = 1024**3
_FEW: Final = 1_000


def check(bench: Bench) -> Result:
    """Measure the quality gate over all rows; it leaves the verdict that the other sections send by."""
    shop = bench.shop(bench.events)
    peaks = []

    def once() -> float:
        done = shop.uploader("check")
        peaks.append(done.peak_bytes / GIB)
        return done.seconds

    rounds = interleaved(bench.rounds, {"uploader check": once})
    return Result(
        f"uploader check, {bench.events:,} rows",
        [
            Figure("check: time", median(rounds["uploader check"]), "s", 30),
            Figure("check: peak memory", median(peaks), "GiB", 2),
        ],
        {**rounds, "peak memory in GiB": peaks},
    )


def plan(bench: Bench) -> Result:
    """Measure the command that does least: a few events, all of which were sent."""
    shop = bench.shop(_FEW)
    with receiver() as meta:
        shop.send(meta.url)
    rounds = interleaved(bench.rounds, {"uploader plan": lambda: shop.uploader("plan").seconds})
    figure = Figure("plan: nothing to do", median(rounds["uploader plan"]), "s", 1.5)
    return Result(f"uploader plan, {_FEW:,} events, all of them sent", [figure], rounds)
