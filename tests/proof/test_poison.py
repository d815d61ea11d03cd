"""Bad rows in every share and shape: the good ones are delivered, the bad ones set aside, and nothing else happens."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.proof import size
from tests.support.receiver import many, shop
from uploader.delivery.run import exit_code

SHAPES = ("anywhere", "side by side", "the oldest")
SHARES = (0.0, 0.001, 0.01, 0.1, 0.5)
ROWS = {share: size(2_000 if share == 0.5 else 5_000, 100_000) for share in SHARES}
"""How many rows a share is tried with; half of the rows bad means more requests than rows."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the rows after ``runs`` runs."""

    good_acked: int
    bad_dead: int
    others: int
    doubles: int
    runs: int
    requests: int


def chosen(ids: list[str], share: float, shape: str) -> frozenset[str]:
    """Choose the bad rows."""
    count = round(share * len(ids))
    if shape == "anywhere":
        return frozenset(random.Random(count).sample(ids, count))
    begin = 0 if shape == "the oldest" else len(ids) // 3
    return frozenset(ids[begin : begin + count])


def deliver_poisoned(folder: Path, count: int, share: float, shape: str) -> Ended:
    """Run each hour until nothing is left to do."""
    world, rows = shop(folder), many(count)
    world.platform.bad = chosen(rows["event_id"].to_list(), share, shape)
    runs, left = 0, True
    while left and runs < 12:
        books = world.run(rows).books
        left = bool(books.released + books.deferred)
        runs += 1
        world.clock.forward(hours=1)
    states = world.states()
    ended = Counter((state, key in world.platform.bad) for key, state in states.items())
    right = ended["acked", False], ended["dead", True]
    return Ended(*right, count - sum(right), len(world.platform.doubles), runs, len(world.platform.requests))


def peak_mib() -> int:
    """Return the most memory that this process ever had, as Linux counts it."""
    # Not ru_maxrss: that one is inherited from the process that started this one.
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) // 1024


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", SHARES)
def test_poisoned_rows_cost_the_good_ones_nothing(
    tmp_path: Path, share: float, shape: str, figure: Callable[[str, str], None]
) -> None:
    """Every good row is acked once, every bad one is dead; one bad row in a hundred takes three runs at most."""
    count = ROWS[share]
    ended = deliver_poisoned(tmp_path, count, share, shape)
    bad = round(share * count)
    assert (ended.good_acked, ended.bad_dead, ended.others, ended.doubles) == (count - bad, bad, 0, 0)
    assert ended.runs <= 3 or share > 0.01
    figure(
        "poison", f"{share:.1%} of {count} rows bad, {shape}: {ended.runs} runs, {ended.requests} requests, all decided"
    )


def test_rows_that_are_all_bad_are_nobodys_fault(tmp_path: Path, figure: Callable[[str, str], None]) -> None:
    """A mapping that is wrong for all: exit 4 and nothing dead, however often it is run."""
    count = size(5_000, 100_000)
    world, rows = shop(tmp_path), many(count)
    world.platform.bad = frozenset(rows["event_id"])
    for _ in range(3):
        report = world.run(rows)
        assert (exit_code([report]), report.books.dead) == (4, 0)
        world.clock.forward(hours=1)
    figure("poison", f"100 % of {count} rows bad: 3 runs, {len(world.platform.requests)} requests, exit 4, 0 dead")


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_memory_stays_bounded(tmp_path: Path, share: float, figure: Callable[[str, str], None]) -> None:
    """A process of its own needs less than 1 GiB."""
    count = size(5_000, 100_000)
    call = f"deliver_poisoned(Path({str(tmp_path)!r}), {count}, {share}, 'anywhere')"
    script = f"from tests.proof.test_poison import Path, deliver_poisoned, peak_mib; {call}; print(peak_mib())"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    peak = int(done.stdout)
    assert peak < 1024
    figure("poison", f"{share:.0%} of {count:,} rows bad, in a process of its own: at most {peak} MiB")
