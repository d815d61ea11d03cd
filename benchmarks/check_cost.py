"""What ``uploader check`` costs: wall time, CPU time and peak memory: `python -m benchmarks.check_cost`.

An argument says how many rows are due (a million, unless it does). Nothing is sampled: the figures of the report are
those of every row.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.made_up_marts import write
from tests.support.shop import ROOT

NOW: Final = datetime(2026, 11, 20, 14, tzinfo=UTC)
ROWS: Final = 1_000_000


def check(folder: Path) -> tuple[float, str]:
    """Run the command in a project folder; return the seconds that it took, and its first line."""
    for name in ("dbt_project.yml", "profiles.yml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    environment = os.environ | {
        "UPLOADER_NOW": NOW.isoformat(),
        "META_ACCESS_TOKEN": "token",
        "UPLOADER__DESTINATIONS__META__DATASET_ID": "42",
        "UPLOADER__DESTINATIONS__META__BASE_URL": "http://127.0.0.1:9",
        "PYTHONPATH": str(ROOT),
    }
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "uploader", "check"], check=True, cwd=folder, env=environment, capture_output=True
    )
    return time.perf_counter() - begun, done.stdout.decode().splitlines()[0]


def main() -> None:
    """Print the figures of one run."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as name:
        write(Path(name) / "warehouse.duckdb", rows, NOW.replace(tzinfo=None))
        seconds, answer = check(Path(name))
    # The only child of this process, so its figures are the child's.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(answer)
    print(f"check of {rows:,} rows due: {seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of CPU time", end=", ")
    print(f"at most {used.ru_maxrss / 1024:,.0f} MiB of memory")


if __name__ == "__main__":
    main()
