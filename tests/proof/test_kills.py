"""Processes are killed at random moments, under network faults and clock jumps: nothing is lost or counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.chaos import BEGIN, Chaos
from tests.support.chaos_clock import SharedClock
from tests.support.chaos_run import Order
from tests.support.delivering import NOW, World, accepted, orders, refused
from tests.support.driver import built
from tests.support.postgres import Server
from tests.support.proof import size
from uploader.clock import naive
from uploader.sandbox import Sandbox

SEEDS = range(1, 1 + size(1, 8))
KILLS_WITH_A_FILE, KILLS_WITH_A_SERVER = size(36, 175), size(16, 75)
"""Per seed, with the sent log in SQLite and in PostgreSQL."""


@contextmanager
def chaos(folder: Path, seed: int, ledger_url: str | None = None) -> Iterator[Chaos]:
    """Open a shop; its sandbox goes by the same clock."""
    clock = SharedClock(folder / "clock", BEGIN)
    with Sandbox(clock=clock, dataset_ids=["42"]) as sandbox:
        yield Chaos(seed, Order(folder, sandbox.url, sandbox.token, ledger_url), sandbox, clock)
    clock.close()


def survived(shop: Chaos, kills: int) -> str:
    """Kill so many runs, let the rest be sent in peace, and look; return the figures."""
    while shop.figures["kills"] < kills:
        shop.round()
    shop.calm_down()
    audit = shop.audit()
    assert not audit.wrong, f"seed {shop.seed}: {audit.wrong}"
    return f"seed {shop.seed}, {shop.order.store().__class__.__name__}: {audit.told()}"


@pytest.mark.parametrize("seed", SEEDS)
def test_no_kill_loses_an_event_or_lets_it_count_twice(
    seed: int, tmp_path: Path, figure: Callable[[str, str], None]
) -> None:
    """Whatever happens, every good event is counted once, or it is held or expired and named so."""
    with chaos(tmp_path, seed) as shop:
        figure("D1", survived(shop, KILLS_WITH_A_FILE))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_kill_does_either_with_a_shared_sent_log(
    seed: int, tmp_path: Path, postgres: Server, figure: Callable[[str, str], None]
) -> None:
    """The same, with the sent log in PostgreSQL."""
    with chaos(tmp_path, 100 + seed, postgres.fresh()) as shop:
        figure("D1", survived(shop, KILLS_WITH_A_SERVER))


def test_an_event_that_was_taken_alone_does_not_expire_later(tmp_path: Path) -> None:
    """Its refused batch is younger than itself: when only that is in the window, the event is still known as acked."""
    world = World(tmp_path)
    world.platform.judge = lambda events: accepted(events) if len(events) == 1 else refused(100, 2804050)
    older, younger = (naive(NOW - timedelta(hours=hours)) for hours in (4, 2))
    rows = pl.concat(
        orders(number, event_at=moment, expires_at=moment + timedelta(days=7)).tail(1)
        for number, moment in ((1, older), (2, younger))
    )
    assert world.run(built(rows, world.clock())).books.acked == 2
    world.clock.now = NOW + timedelta(days=7, hours=-4)
    books = world.run(built(rows, world.clock())).books
    assert (books.expired, books.already) == (0, 1)
