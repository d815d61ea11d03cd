"""The sent log on a disk that fails or is full: no request without an intent that is on the disk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.support import ledger_life as life
from tests.support.delivering import World, orders
from tests.support.ledger_faults import EVENTS, Ended, deliver, tracer, under, wal_and_requests
from tests.support.ledger_life import NAME
from tests.support.proof import size
from tests.support.repository import ROOT
from tests.support.shop import Shop, opened
from tests.support.shop import orders as sold
from uploader.delivery.flights import EARNED, MOST
from uploader.errors import TryLater

Figure = Callable[[str, str], None]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shop]:
    """A shop in a folder of its own."""
    with opened(tmp_path, monkeypatch, capsys) as it:
        yield it


# File (its suffix), system call, error, from which call on ("+": and ever after). All of them come in the middle.
IN_THE_MIDDLE = [
    ("-wal", "pwrite64", "ENOSPC", "40+"),
    ("-wal", "pwrite64", "EIO", "40"),
    ("-wal", "fdatasync", "EIO", "9"),
    ("-wal", "fdatasync", "EIO", "9+"),
    (".manifest.json.tmp", "write", "ENOSPC", "6+"),
    (".manifest.json.tmp", "fsync", "EIO", "6"),
    (".manifest.json.tmp", "rename", "EIO", "6"),
    (".manifest.json.tmp", "openat", "ENOSPC", "6+"),
]
# The -wal file is folded into the log when the run is over.
AT_THE_END = [
    ("", "pwrite64", "ENOSPC", "1+"),
    ("", "pwrite64", "EIO", "3+"),
    ("", "fdatasync", "EIO", "1+"),
]


def _injected(folder: Path, fault: tuple[str, str, str, str]) -> Ended:
    suffix, call, error, when = fault
    with World(folder).ledger():
        pass  # the log is there: the faults are to come later
    ended = under(["-P", str(folder / NAME) + suffix, "-e", f"inject={call}:error={error}:when={when}"], folder)
    assert "(INJECTED)" in (folder / "trace").read_text()
    return ended


def _require_whole_after(folder: Path, ended: Ended) -> None:
    """Check that everything that left is known, and that the next run sends the rest."""
    life.content(folder / NAME)
    world = World(folder)
    with world.ledger() as ledger:
        known = life.states(ledger)
    assert ended.posted <= set(known)
    assert 0 <= len(known) - len(ended.posted) <= 2  # one batch may have its intent, and no request
    again = deliver(folder)
    assert again.code == 0
    assert again.posted >= {f"purchase.{n}" for n in range(1, EVENTS + 1)} - ended.posted
    with world.ledger() as ledger:
        assert {state for state, _, _ in life.states(ledger).values()} == {"acked"}


@pytest.mark.parametrize("fault", IN_THE_MIDDLE, ids="-".join)
def test_a_failing_disk_ends_the_run(tmp_path: Path, fault: tuple[str, str, str, str], figure: Figure) -> None:
    """Exit 75 at once: not one request after an intent that could not be written."""
    ended = _injected(tmp_path, fault)
    assert ended.code == 75
    assert "No further request is made" in ended.text
    assert 0 < len(ended.requests) < EVENTS / 2
    _require_whole_after(tmp_path, ended)
    figure("L5", f"{' '.join(fault)}: {len(ended.requests)} requests, none after the failed intent; reopens, whole")


@pytest.mark.parametrize("fault", AT_THE_END, ids="-".join)
def test_a_disk_that_fails_at_the_end_harms_nothing(
    tmp_path: Path, fault: tuple[str, str, str, str], figure: Figure
) -> None:
    """Everything was sent; that the -wal file could not be folded is for the next run."""
    ended = _injected(tmp_path, fault)
    assert (ended.code, len(ended.requests)) == (0, EVENTS / 2)
    with World(tmp_path).ledger() as ledger:
        assert {state for state, _, _ in life.states(ledger).values()} == {"acked"}
    assert deliver(tmp_path).requests == []
    figure("L5", f"{' '.join(fault)} at the end: all sent, reopens, whole")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of three megabytes, which only root may."""
    place = tmp_path / "disk"
    place.mkdir(mode=0o700)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", place], check=False)
    if made.returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def ended(world: World, rows: pl.DataFrame) -> Exception | None:
    """Run, and return why it ended early: the disk may also be too full to close the books."""
    try:
        return world.run(rows).problem
    except TryLater as problem:
        return problem


def test_a_full_disk_ends_the_run(small_disk: Path, figure: Figure) -> None:
    """Exit 75 without a request that is not on the disk; when there is room again, the next run sends the rest."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 2_500_000)
    world, rows = World(small_disk, settings={"batch_size": 50}), orders(2_000)
    problem = ended(world, rows)
    assert isinstance(problem, TryLater)
    assert re.search(r"full|space", str(problem))
    sent = {event_id for request in world.platform.requests for event_id in request}
    assert 0 < len(sent) < 2_000
    assert os.statvfs(small_disk).f_bavail < 100
    ballast.unlink()
    life.content(small_disk / NAME)
    with world.ledger() as ledger:
        assert sent <= set(life.states(ledger))
    assert world.run(rows).problem is None
    with world.ledger() as ledger:
        assert [state for state, _, _ in life.states(ledger).values()] == ["acked"] * 2_000
    figure("L5", f"3 MB file system full after {len(sent)} events: 0 requests without an intent; reopens, whole")


# ---------------------------------------------------------------- in the right order


def traced(shop: Shop, batches: int) -> str:
    """Send so many sales of one event each, by the real command; return what it wrote, synced and sent."""
    shop.sells(*(order | {"event_id": f"sale-{number:05d}-x"} for number, order in enumerate(sold(batches))))
    environment = os.environ | {"UPLOADER__DESTINATIONS__META__BATCH_SIZE": "1", "PYTHONPATH": str(ROOT)}
    calls = ["-s", "5000", "-e", "trace=pwrite64,fdatasync,fsync,sendto,sendmsg"]
    command = [*tracer(shop.folder), *calls, sys.executable, "-m", "uploader", "send"]
    subprocess.run(command, check=True, cwd=shop.folder, env=environment, capture_output=True)
    return (shop.folder / "trace").read_text(errors="replace")


def test_each_intent_is_synced_before_its_request(shop: Shop, figure: Figure) -> None:
    """Before a request's first byte, its event was written to the -wal file, and that was synced.

    The first requests have a sync each; of later ones at most as many share one as two flights have.
    """
    batches = size(40, 1000)
    written, synced, known = set[str](), set[str](), set[str]()
    bodies, behind = list[str](), 0
    for what, sales in wal_and_requests(traced(shop, batches), r"sale-\d{5}-x"):
        if what == "write":
            written |= sales
        elif what == "sync":
            synced, behind = synced | written, 0
        elif what == "request":
            known, behind = set(synced), behind + 1
            assert behind <= (1 if len(bodies) < EARNED else 2 * MOST), f"{behind} requests share a sync"
        else:
            assert sales <= known, f"{sales} left before their intent was on the disk"
            bodies += sales
    assert len(bodies) == len(set(bodies)) == shop.posted() == batches
    figure("L7", f"{batches} requests traced: each after a sync of its intent, 0 exceptions")
