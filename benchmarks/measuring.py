"""Run what is measured: each contender as a process of its own, and one round after the other.

Nothing here imports more than the standard library: on Linux a process inherits, at its start, the peak memory of the
one that started it, so this one stays small.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
_KIB: Final = 1024
_MACOS_IN_BYTES: Final = sys.platform == "darwin"


class Failed(Exception):
    """A contender did not do its work, so that there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process that ended well: the wall's seconds, the most memory it had, and what it printed."""

    seconds: float
    peak_bytes: int
    output: str

    @property
    def told(self) -> dict[str, Any]:
        """Return the JSON object that the process printed last."""
        found: dict[str, Any] = json.loads(self.output[self.output.rindex("\n{") + 1 :])
        return found


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    *,
    on_one_core: bool = False,
    code: int = 0,
) -> Run:
    """Run a command to its end; raise `Failed` with the end of what it said when it exits with another code."""
    words = [str(word) for word in command]
    os.sync()  # what was made before is not to be written to the disk at its cost
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**quiet(), **(environment or {})},
            stdout=output,
            stderr=errors,
        )
        _place(process.pid, on_one_core=on_one_core)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != code:
            said = (errors.read() + output.read()).decode(errors="replace").strip()[-1500:]
            raise Failed(f"{' '.join(words[:6])} … ended with {process.returncode}: {said}")
        peak = usage.ru_maxrss * (1 if _MACOS_IN_BYTES else _KIB)
        return Run(seconds, peak, "\n" + output.read().decode())


def quiet() -> dict[str, str]:
    """Return the environment without anything that would change a run, and with everybody's statistics off."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UPLOADER", "DBT_", "BENCH_"))}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1",
    }


def _place(process: int, *, on_one_core: bool) -> None:
    """Bind a process that has just begun to one core; and let it end first, should the machine's memory run out."""
    ending = Path(f"/proc/{process}/oom_score_adj")
    if ending.exists():
        ending.write_text("1000")
    if on_one_core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process, {max(os.sched_getaffinity(0))})


def interleaved(rounds: int, contenders: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Let each contender run once per round, so that a busy minute of the machine hits all of them alike."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(1, rounds + 1):
        for name, contender in contenders.items():
            value = contender()
            found[name].append(value)
            say(f"    round {number} of {rounds}: {name}: {value:,.3f}")
    return found


def median(values: Iterable[float]) -> float:
    """Return the middle of the rounds."""
    return statistics.median(values)


def say(text: str) -> None:
    """Tell how far it has come."""
    print(text, file=sys.stderr, flush=True)
