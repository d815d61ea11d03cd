"""Outages of an hour to eight days, met by a run every hour: nothing is counted twice, and nothing is lost unsaid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.delivering import NOW
from tests.support.receiver import MARGIN, MEMORY, OLDEST, Fate, Shop, outbox, shop
from uploader.delivery.books import Books
from uploader.delivery.exposure import early_alarm
from uploader.delivery.run import exit_code

HOUR = timedelta(hours=1)
LIVES = {
    "1, 24 and 50 hours": (168, ((12, 1), (24, 24), (72, 50))),
    "8 days": (228, ((12, 192),)),
}
"""Outages: how many hourly runs there are in all, and the hour that each outage begins at and how long it lasts."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: when it was, how it ended, and its books."""

    at: datetime
    code: int
    books: Books


def placed_until(now: datetime) -> dict[str, datetime]:
    """Return the shop's orders so far: one each hour, five minutes before a run."""
    last = NOW - timedelta(minutes=5)
    moments = [last + hour * HOUR for hour in range(int((now - last) / HOUR) + 1)]
    return {f"purchase.{at:%d%H%M}": at for at in moments}


def live(world: Shop, life: str, fault: Callable[[float], Fate]) -> list[Run]:
    """Run once an hour. In an outage ``fault`` says what happens, from the share of the outage that is over."""
    runs, (count, outages) = [], LIVES[life]
    for hour in range(count):
        now = world.clock.now = NOW + hour * HOUR
        shares = [(hour - begin) / length for begin, length in outages if begin <= hour < begin + length]
        fate = fault(shares[0]) if shares else Fate.ANSWERED
        world.platform.way = lambda fate=fate: fate
        report = world.run(outbox(placed_until(now), now))
        runs.append(Run(now, exit_code([report]), report.books))
    return runs


def outage_ends(life: str) -> list[datetime]:
    """Return when each outage was over."""
    return [NOW + (begin + length) * HOUR for begin, length in LIVES[life][1]]


@pytest.mark.parametrize("life", LIVES)
def test_an_unreachable_platform_costs_only_what_it_would_not_take_any_more(
    tmp_path: Path, life: str, figure: Callable[[str, str], None]
) -> None:
    """Exactly the events that were too old at the first request afterwards are expired, and each is told once."""
    world = shop(tmp_path)
    runs = live(world, life, lambda _share: Fate.UNREACHABLE)
    orders, states, counted = placed_until(world.clock.now), world.states(), set(world.platform.counted)
    calls, ends = [seen for seen in world.platform.requests if seen.status], outage_ends(life)
    back = [min(seen.at for seen in calls if seen.at >= end) for end in ends]
    # The breaker is open for an hour at most: at the latest the second run afterwards sends.
    assert max(first - end for first, end in zip(back, ends, strict=True)) < 2 * HOUR
    sent_in_time = {key for key, at in orders.items() if any(at < first < at + OLDEST - MARGIN for first in back)}
    in_calm = {key for seen in calls for key in seen.ids if seen.at not in back}
    expired = {key for key, state in states.items() if state == "expired"}
    assert expired == set(orders) - sent_in_time - in_calm
    assert {key for key in orders if states.get(key) == "acked"} == set(orders) - expired == counted
    assert (world.platform.doubles, sum(run.books.expired for run in runs)) == ([], len(expired))
    assert [run.at for run in runs if run.books.expired and run.code == 0] == []
    told = f"{len(expired)} expired and told, {len(counted)} counted once"
    figure("D8", f"refused connections, {life}: {len(runs)} hourly runs, {len(orders)} events, {told}")


@pytest.mark.parametrize("life", LIVES)
def test_lost_answers_leave_no_event_without_a_name(
    tmp_path: Path, life: str, figure: Callable[[str, str], None]
) -> None:
    """Each event is counted once, or is held or expired; and what may have arrived never expires."""
    world = shop(tmp_path)
    # In the first part of an outage nothing arrives, later everything does; the sender cannot tell.
    live(world, life, lambda share: Fate.LOST if share < 0.6 else Fate.UNHEARD)
    orders, states, counted = placed_until(world.clock.now), world.states(), set(world.platform.counted)
    assert world.platform.doubles == []
    named = {state: {key for key, found in states.items() if found == state} for state in ("acked", "held", "expired")}
    assert set.union(*named.values()) >= set(orders)
    assert named["acked"] <= counted
    tried = {key for seen in world.platform.requests for key in seen.ids}
    assert named["expired"] & tried == set()
    assert bool(named["held"]) == any(length * HOUR > MEMORY - MARGIN for _, length in LIVES[life][1])
    arrived = len(named["held"] & counted)
    figure(
        "D8",
        f"lost answers, {life}: {len(orders)} events, {len(named['held'])} held (of these {arrived} had arrived), "
        f"{len(named['expired'])} expired, {world.platform.dropped} resends recognized, 0 lost unsaid, 0 double",
    )


def test_an_event_that_was_sent_in_its_last_hour_is_not_expired_afterwards(tmp_path: Path) -> None:
    """It was part of an earlier, failed request together with younger events; what counts is its last one."""
    world = shop(tmp_path)
    orders = {"purchase.old": NOW - 2 * HOUR, "purchase.young": NOW - HOUR}
    world.platform.way = lambda: Fate.UNREACHABLE
    world.run(outbox(orders, NOW))
    world.platform.way = lambda: Fate.ANSWERED
    # 166 hours old: it goes in a request of its own, before the others.
    world.clock.now = NOW + 164 * HOUR
    assert world.run(outbox(orders, world.clock.now)).books.acked == 2
    world.clock.forward(hours=1)
    world.run(outbox(orders, world.clock.now))
    assert world.states() == {"purchase.old": "acked", "purchase.young": "acked"}


def test_an_alarm_comes_two_days_before_the_loss(tmp_path: Path, figure: Callable[[str, str], None]) -> None:
    """From the fifth day on the run says what is still unsent, and it stops when that is sent."""
    world, alarms = shop(tmp_path), {}
    for hours in (1, 24, 119, 121, 165):
        world.clock.now = NOW + hours * HOUR
        world.platform.way = lambda: Fate.UNREACHABLE if world.clock.now < NOW + 165 * HOUR else Fate.ANSWERED
        rows = outbox({"purchase.1": NOW, "purchase.2": NOW + HOUR / 2}, world.clock.now)
        with world.ledger() as ledger:
            made = world.plan(ledger, rows)
        world.run(rows)
        with world.ledger() as ledger:
            alarms[hours] = early_alarm(made, ledger, world.clock())
    assert {hours: bool(alarm) for hours, alarm in alarms.items()} == {
        1: False,
        24: False,
        119: False,
        121: True,
        165: False,
    }
    assert "2 events older than 5 days" in str(alarms[121])
    figure("D8", "the alarm of unsent events comes from 5 days on, and ends when they are sent")
