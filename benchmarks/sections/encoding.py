"""From rows to finished bodies of a thousand events, on one core."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.bench import NOT_INSTALLED
from benchmarks.measuring import Failed, Run, interleaved, median, run
from benchmarks.table import Figure, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench


def encode(bench: Bench) -> Result:
    """Measure events per second, each contender in its own process on the same core."""
    shop = bench.shop(bench.events)
    command = [sys.executable, "-m", "benchmarks.contenders.ours", "encode", str(shop.warehouse)]
    one = {"POLARS_MAX_THREADS": "1"}

    def rate(done: Run) -> float:
        if done.told["events"] != bench.events:
            raise Failed(f"{done.told['events']} of {bench.events} events were encoded")
        return float(done.told["events"] / done.told["seconds"])

    contenders: dict[str, Callable[[], float]] = {"uploader": lambda: rate(run(command, one, on_one_core=True))}
    if sdk := bench.python_of_sdk:
        contenders["sdk"] = lambda: rate(bench.rival(sdk, "sdk", "encode", shop.warehouse, on_one_core=True))
    if drt := bench.python_of_drt:
        contenders["drt"] = lambda: rate(bench.rival(drt, "drt", "encode", shop.warehouse, on_one_core=True))
    rounds = interleaved(bench.rounds, contenders)
    ours = median(rounds["uploader"])
    figures = [Figure("encode: events per second", ours / 1000, "thousand")]
    for name, words, goal in (("sdk", "Meta's SDK", 30), ("drt", "drt's builder", 8)):
        theirs = median(rounds[name]) if name in rounds else None
        note = NOT_INSTALLED if theirs is None else f"{theirs:,.0f} events per second"
        ratio = None if theirs is None else ours / theirs
        figures.append(Figure(f"encode: against {words}", ratio, "×", goal, at_least=True, note=note))
    return Result(f"Rows to bodies on one core, {bench.events:,} events", figures, rounds)
