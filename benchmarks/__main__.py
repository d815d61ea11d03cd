"""`make bench`: everything that is promised of speed and memory, side by side, in one run.

BENCH_EVENTS (1,000,000), BENCH_ROUNDS (5), BENCH_ONLY (names of sections, with commas between them), BENCH_FOLDER
(target/bench) and BENCH_RIVALS (.venv-bench) change what is run and where. The exit code is 1 where a section could not
be measured; a goal that is missed stands in the table and changes no exit code.
"""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import table
from benchmarks.bench import Bench
from benchmarks.measuring import ROOT, Failed, say
from benchmarks.sections import SECTIONS


def main() -> int:
    """Run the sections that are asked for."""
    asked = [name.strip() for name in os.environ.get("BENCH_ONLY", "").split(",") if name.strip()] or list(SECTIONS)
    if unknown := set(asked) - set(SECTIONS):
        say(f"There is no section {', '.join(sorted(unknown))}. There are: {', '.join(SECTIONS)}.")
        return 64
    folder = Path(os.environ.get("BENCH_FOLDER", ROOT / "target" / "bench")).resolve()
    rivals = Path(os.environ.get("BENCH_RIVALS", ROOT / ".venv-bench"))
    events, rounds = (
        int(os.environ.get(f"BENCH_{name}", usual)) for name, usual in (("EVENTS", "1000000"), ("ROUNDS", "5"))
    )
    bench = Bench(max(events, 1000), max(rounds, 1), folder, rivals)
    _clear(folder / "work")
    results, is_whole = [], True
    for name in (name for name in SECTIONS if name in asked):
        say(f"{name}:")
        try:
            results.append(SECTIONS[name](bench))
        except Failed as problem:
            is_whole = False
            say(f"  not measured: {problem}")
            results.append(table.Result(name, [table.Figure(name, None, "", note="not measured, see above")]))
        about = {"at": datetime.now(UTC).isoformat(), "events": bench.events, "rounds": bench.rounds}
        # After each section: a long run that is ended early leaves what it has.
        table.write(results, folder, about)
    _clear(folder / "work")
    print(f"\nMedians of {bench.rounds} rounds, {bench.events:,} events\n\n{table.text(results)}\n")
    print(f"Written to {folder}: bench.txt, bench.json, bench.svg")
    return 0 if is_whole else 1


def _clear(work: Path) -> None:
    if work.exists():
        shutil.rmtree(work)
    work.mkdir(parents=True)


if __name__ == "__main__":
    sys.exit(main())
