"""Processes are killed at random moments, under network faults and clock jumps: nothing is lost or counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.chaos import BEGIN, Audit, Chaos
from tests.support.chaos_clock import SharedClock
from tests.support.chaos_run import Order
from tests.support.postgres import Server
from tests.support.proof import size
from uploader.sandbox import Sandbox

SEEDS = range(1, 1 + size(1, 8))
KILLS = {"file": size(70, 175), "server": size(30, 75)}
"""Per seed, with the sent log in a file and in PostgreSQL."""


@contextmanager
def chaos(folder: Path, seed: int, ledger_url: str | None = None) -> Iterator[Chaos]:
    """Open a shop; its sandbox goes by the same clock."""
    clock = SharedClock(folder / "clock", BEGIN)
    with Sandbox(clock=clock, dataset_ids=["42"]) as sandbox:
        yield Chaos(seed, Order(folder, sandbox.url, sandbox.token, ledger_url), sandbox, clock)
    clock.close()


def survive(shop: Chaos, kills: int) -> Audit:
    """Kill so many runs, let the rest be sent in peace, and look."""
    while shop.figures["kills"] < kills:
        shop.round()
    shop.calm_down()
    return shop.audit()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_kill_loses_an_event_or_lets_it_count_twice(
    seed: int, tmp_path: Path, postgres: Server, figure: Callable[[str, str], None]
) -> None:
    """Whatever happens, every good event is counted once, or it is held or expired and named so."""
    for place, url in (("file", None), ("server", postgres.fresh())):
        folder = tmp_path / place
        folder.mkdir()
        with chaos(folder, seed, url) as shop:
            audit = survive(shop, KILLS[place])
        assert audit.wrong == {}, f"seed {seed}, sent log in a {place}"
        figure("D1", f"sent log in a {place}, seed {seed}: {audit.told()}")
