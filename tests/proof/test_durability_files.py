"""The sent log when its files were harmed: cut, a bit flipped, lost, or replaced by an old copy."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import ledger_life as life
from tests.support.ledger_life import NAME
from tests.support.proof import size
from tests.support.sent_logs import held, sent
from tests.support.shop import NOW, Shop, opened, orders
from uploader.errors import LedgerRegression, TryLater
from uploader.ledger import SqliteStore, State, guarded, verify
from uploader.ledger.manifest import Manifest

Figure = Callable[[str, str], None]


@pytest.fixture
def snapshots(tmp_path: Path) -> list[dict[str, object]]:
    """Write a log in ``tmp_path/killed`` as a kill leaves it, and return its content after each commit."""
    log, seen = tmp_path / "alive" / NAME, []
    with life.opened(str(log)) as ledger:
        ledger.settle(sent(ledger, [f"folded.{row}" for row in range(400)]), State.ACKED)
    with life.opened(str(log)) as ledger:
        seen.append(life.content(log))
        for number in range(40):
            batch = sent(ledger, [f"{number}.{row}" for row in range(number % 5 + 1)])
            seen.append(life.content(log))
            if number % 4:
                ledger.settle(batch, State.ACKED if number % 3 else State.RELEASED)
            else:
                held(ledger, [f"{number}.0"])
            seen.append(life.content(log))
        shutil.copytree(log.parent, tmp_path / "killed")
    return seen


def test_a_wal_file_cut_anywhere_is_a_prefix_of_the_commits(
    tmp_path: Path, snapshots: list[dict[str, object]], figure: Figure
) -> None:
    """It always opens, and a run is refused exactly when a change that the manifest knows of is missing."""
    log, found, marks = tmp_path / "killed" / NAME, Counter(), set()
    wal, manifest = log.with_name(NAME + "-wal"), Manifest.read(log)
    whole = wal.read_bytes()
    assert manifest is not None
    assert len(whole) > 2**16
    for length in range(len(whole), len(whole) - 2**16, -size(97, 1)):
        wal.write_bytes(whole[:length])
        log.with_name(NAME + "-shm").unlink(missing_ok=True)
        content = life.content(log)
        assert content in snapshots
        mark = int(dict(content["meta"])["high_water"])
        found["refused" if mark < manifest.high_water else "accepted"] += 1
        if mark not in marks:
            marks.add(mark)
            with pytest.raises(LedgerRegression) if mark < manifest.high_water else nullcontext():
                verify(SqliteStore(log), None)
    figure("L3", f"-wal cut at {sum(found.values())} places: every time a prefix of the commits; {dict(found)}")


# ---------------------------------------------------------------- a bit


def _flip(log: Path, suffix: str, chance: random.Random) -> None:
    path = log.with_name(NAME + suffix)
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def _next_run(log: Path, snapshots: list[dict[str, object]]) -> str:
    """Open a log as the next run does; say what came of it."""
    try:
        with life.opened(str(log)):
            content = life.content(log)
    except (LedgerRegression, TryLater) as refused:
        return f"refused with exit {refused.exit_code}"
    if content not in snapshots:
        return "changed"
    missing = len(snapshots) - 1 - snapshots.index(content)
    return "complete" if not missing else f"without the last {missing}"


def _flips(folder: Path, snapshots: list[dict[str, object]], suffixes: str, count: int) -> Counter[str]:
    """Flip one bit at a time in a copy of a log; count what the next run makes of it."""
    chance, found = random.Random(suffixes + folder.name), Counter[str]()
    for _ in range(count):
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy)
        _flip(copy / NAME, suffixes, chance)
        found[_next_run(copy / NAME, snapshots)] += 1
        shutil.rmtree(copy)
    return found


def test_a_flipped_bit_is_never_a_silent_loss(
    tmp_path: Path, snapshots: list[dict[str, object]], figure: Figure
) -> None:
    """In either file of a killed run, and in a closed log: nothing but the last answer can go without a word."""
    each, killed = size(20, 100), tmp_path / "killed"
    # The last change is an answer: without it its key is in doubt, which is told and is sent again or held.
    unharmed = {"complete", "without the last 1", "refused with exit 3", "refused with exit 75"}
    for place, found in {
        "-wal of a killed run": _flips(killed, snapshots, "-wal", each),
        "log of a killed run": _flips(killed, snapshots, "", each),
        "log of a run that ended": _flips(tmp_path / "alive", snapshots, "", each),
    }.items():
        assert set(found) <= unharmed, place
        figure("L4", f"{each} flipped bits in the {place}: {dict(found)}, 0 silent losses")


def test_what_a_flipped_bit_can_do_to_a_log_that_was_being_folded(
    tmp_path: Path, snapshots: list[dict[str, object]], figure: Figure
) -> None:
    """Between the beginning and the end of folding nobody knows the digest: SQLite's own look must do."""
    log, each = tmp_path / "killed" / NAME, size(20, 100)
    manifest = Manifest.read(log)
    assert manifest
    replace(manifest, digest=None).write(log)
    found = _flips(log.parent, snapshots, "", each)
    figure("L4", f"{each} flipped bits in a log killed while it was folded: {dict(found)}")
    assert found["changed"] < each / 2


# ---------------------------------------------------------------- lost, or another one


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shop]:
    """A shop that has sent three events, and has three more."""
    (tmp_path / "shop").mkdir()
    with opened(tmp_path / "shop", monkeypatch, capsys) as it:
        it.sells(*orders(3))
        assert it.run("send")[0] == 0
        it.sells(*orders(6))
        yield it


def _deleted(shop: Shop) -> None:
    (shop.folder / NAME).unlink()


def _truncated(shop: Shop) -> None:
    log = shop.folder / NAME
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])


def _restored(shop: Shop) -> None:
    log = shop.folder / NAME
    old = log.read_bytes()
    assert shop.run("send")[0] == 0
    shop.sells(*orders(9))
    log.write_bytes(old)


def _without_its_wal(shop: Shop) -> None:
    log, killed = shop.folder / NAME, shop.folder / "killed"
    killed.mkdir()
    with guarded(SqliteStore(log), lambda: NOW, "run", None) as ledger:
        sent(ledger, ["purchase.4"])
        for suffix in ("", "-wal", "-shm", ".manifest.json"):
            shutil.copy(shop.folder / (NAME + suffix), killed)
    for file in killed.iterdir():
        file.replace(shop.folder / file.name)
    log.with_name(NAME + "-wal").unlink()
    log.with_name(NAME + "-shm").unlink()


@pytest.mark.parametrize("harm", [_deleted, _truncated, _restored, _without_its_wal])
def test_a_log_that_is_not_the_last_one_sends_nothing(shop: Shop, harm: Callable[[Shop], None], figure: Figure) -> None:
    """Exit 3 without a request, from the real command."""
    harm(shop)
    before = shop.posted()
    assert shop.run("send")[0] == 3
    assert shop.posted() == before
    assert re.search(r"Nothing was sent|No further request is made", shop.error)
    figure("D6", f"sent log {harm.__name__.strip('_').replace('_', ' ')}: exit 3, 0 requests")
