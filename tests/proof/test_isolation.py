"""Bad events among good ones, and a bad destination beside a good one: what is good is delivered all the same."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.at_once import plan, whole
from tests.support.delivering import NOW
from tests.support.proof import full
from tests.support.receiver import DOUBTFUL, Fate, Receiver, Shop, ids_of, many, shop
from tests.support.receiver_toy import toy_target
from uploader.delivery.run import Report, deliver, exit_code
from uploader.delivery.surroundings import Surroundings

EVENTS = 1000
DEADLINE = timedelta(seconds=3000)
BAD = (0, 1, 2, 3, 5, 10, 20, 50, 100)
FAULTS: dict[str, tuple[Fate, ...]] = {
    "no fault": (),
    "not taken": (Fate.UNREACHABLE, Fate.THROTTLED),
    "in doubt": DOUBTFUL,
}
CASES = [
    (bad, shape, fault, names)
    for bad in BAD
    for shape in ("clustered", "spread")
    for fault in FAULTS
    for names in (False, True)
    if full() or (fault == "no fault" and not names) or bad in (3, 20)
]


def bad_ones(ids: list[str], count: int, shape: str) -> frozenset[str]:
    """Choose the bad events: side by side from a third on, or anywhere."""
    begin = len(ids) // 3
    chosen = ids[begin : begin + count] if shape == "clustered" else random.Random(count).sample(ids, count)
    return frozenset(chosen)


def most_requests(bad: int, of: int) -> int:
    """Return what halving may cost: 2k·⌈log₂(n/k)⌉ + 2k + 1."""
    return 2 * bad * math.ceil(math.log2(of / bad)) + 2 * bad + 1 if bad else 1


def sometimes(faults: tuple[Fate, ...], chance: random.Random) -> Callable[[], Fate]:
    """Return a way on which every tenth request or so meets a fault."""
    return lambda: chance.choice(faults) if faults and chance.random() < 0.1 else Fate.ANSWERED


def run_until_done(world: Shop, rows: pl.DataFrame) -> list[tuple[Report, int]]:
    """Run each hour, with one new good order each time, until nothing is left; return reports and requests."""
    runs: list[tuple[Report, int]] = []
    while len(runs) < 15:
        before = len(world.platform.requests)
        newer = many(len(runs), event_at="2026-11-20T13:00:00").with_columns(
            pl.col("event_id").str.replace("purchase", "later"), pl.col("event_key").str.replace("purchase", "later")
        )
        report = world.run(pl.concat([rows, newer]))
        runs.append((report, len(world.platform.requests) - before))
        if not {"intent", "released"} & set(world.states().values()) and not report.books.deferred:
            break
        world.clock.forward(hours=1)
    return runs


@pytest.mark.parametrize(("bad", "shape", "fault", "names"), CASES)
def test_bad_events_are_found_within_the_bound(tmp_path: Path, bad: int, shape: str, fault: str, names: bool) -> None:
    """Each good event is counted once; what is dead, or held for a doubt, is bad; requests stay within the bounds."""
    world, rows = shop(tmp_path), many(EVENTS)
    world.platform.bad = bad_ones(rows["event_id"].to_list(), bad, shape)
    world.platform.names, world.platform.way = names, sometimes(FAULTS[fault], random.Random(bad))
    runs = run_until_done(world, rows)
    states = world.states()
    ended = {word: {key for key, state in states.items() if state == word} for word in set(states.values())}
    assert set(world.platform.counted) >= ids_of(rows) - world.platform.bad
    assert (world.platform.doubles, ended.keys() <= {"acked", "dead", "held"}) == ([], True)
    assert ended.get("dead", set()) | ended.get("held", set()) == world.platform.bad
    # Alone refused, but once in doubt: it may have been taken then, so a person decides.
    assert fault == "in doubt" or "held" not in ended
    faults = sum(seen.fate is not Fate.ANSWERED for seen in world.platform.requests)
    assert len(world.platform.requests) - faults - (len(runs) - 1) <= most_requests(bad, EVENTS)
    assert runs[0][1] <= 64


def test_the_figures_of_the_search(tmp_path: Path, figure: Callable[[str, str], None]) -> None:
    """What the search costs, for the record: requests over all runs, of the bound, with the bad ones anywhere."""
    told = []
    for bad in (1, 10, 100):
        world, rows = shop(tmp_path / str(bad)), many(EVENTS)
        world.platform.bad = bad_ones(rows["event_id"].to_list(), bad, "spread")
        runs = run_until_done(world, rows)
        told.append(f"{bad} bad: {len(world.platform.requests)} of {most_requests(bad, EVENTS)} in {len(runs)} runs")
        assert runs[-1][0].books.is_balanced
    figure("N6", f"{len(CASES)} searches in {EVENTS} events: good acked 100 %, dead = the bad ones; " + "; ".join(told))


@pytest.mark.parametrize("batches", [1, 10])
def test_a_mapping_that_is_wrong_kills_nothing(
    tmp_path: Path, batches: int, figure: Callable[[str, str], None]
) -> None:
    """Everything refused with one code: twelve requests at most, exit 4, nothing dead, all free to be sent."""
    world, rows = shop(tmp_path), many(EVENTS * batches)
    world.platform.bad = frozenset(ids_of(rows))
    report = world.run(rows)
    requests = len(world.platform.requests)
    assert requests <= 12
    assert (exit_code([report]), report.books.dead) == (4, 0)
    assert report.books.released + report.books.deferred == rows.height
    world.platform.bad = frozenset()
    assert world.run(rows).books.acked == rows.height
    figure("N7", f"{rows.height} events all refused: {requests} requests, exit 4, 0 dead; all acked once mended")


@pytest.mark.parametrize("first_fate", [Fate.ANSWERED, Fate.UNHEARD])
def test_a_batch_of_bad_events_alone_does_not_stop_the_good_ones(tmp_path: Path, first_fate: Fate) -> None:
    """Twenty bad orders fill the first batch, new or in doubt: the twenty good ones behind them are delivered."""
    world, rows = shop(tmp_path, batch_size=20), many(40)
    world.platform.bad = frozenset(rows["event_id"].head(20))
    world.platform.way = lambda: first_fate
    world.run(rows.head(20))
    world.platform.way = lambda: Fate.ANSWERED
    for _ in range(5):
        world.clock.forward(hours=1)
        world.run(rows)
    assert set(world.platform.counted) == ids_of(rows) - world.platform.bad


TROUBLE = {
    "unreachable": (Fate.UNREACHABLE, None),
    "answers lost": (Fate.LOST, None),
    "errors": (Fate.FAILED, None),
    "token revoked": (Fate.BLOCKED, None),
    "asks to wait a moment": (Fate.THROTTLED, "30"),
    "asks to wait an hour": (Fate.THROTTLED, "3600"),
    "refuses everything": (Fate.ANSWERED, None),
}


def run_both(folder: Path, kind: str | None) -> tuple[Receiver, Report]:
    """Deliver a thousand orders to two destinations in one run, the troubled one first; return what the toy got."""
    world, rows = shop(folder, batch_size=100), many(EVENTS)
    toy, same = Receiver(world.clock), many(EVENTS, destination="toy")
    if kind:
        fate, world.platform.retry_after = TROUBLE[kind]
        world.platform.way = lambda: fate
        world.platform.seconds = 60 if fate is Fate.LOST else 1
        world.platform.bad = frozenset(ids_of(rows)) if fate is Fate.ANSWERED else frozenset()
    with world.ledger() as ledger:
        digests = pl.Series("row_digest", range(EVENTS), pl.UInt32)
        entries = (
            (world.plan(ledger, rows), rows, world.platform),
            (plan(toy_target(), same.with_columns(digests), ledger, world.clock()), same, toy),
        )
        for entry, theirs, post in entries if kind else entries[1:]:
            due = whole(entry, theirs)
            around = Surroundings(
                ledger, post, world.clock, world.sleep, deadline=NOW + DEADLINE, monotonic=world.clock.monotonic
            )
            report = deliver(entry, [due], around)
    return toy, report


def duration(receiver: Receiver) -> float:
    """Return the seconds from a receiver's first request to its last."""
    return (receiver.requests[-1].at - receiver.requests[0].at).total_seconds()


@pytest.mark.parametrize("kind", TROUBLE)
def test_a_destination_in_trouble_leaves_the_others_alone(
    tmp_path: Path, kind: str, figure: Callable[[str, str], None]
) -> None:
    """The healthy one gets everything, in the same requests, as fast as without the other and before the deadline."""
    alone, _ = run_both(tmp_path / "alone", None)
    beside, report = run_both(tmp_path / "beside", kind)
    assert (exit_code([report]), report.books.acked, beside.doubles) == (0, EVENTS, [])
    assert [seen.ids for seen in beside.requests] == [seen.ids for seen in alone.requests]
    assert duration(alone) >= 0.95 * duration(beside)
    waited = (beside.requests[0].at - NOW).total_seconds()
    assert waited < DEADLINE.total_seconds() / 2
    figure(
        "D13", f"beside one in trouble ({kind}): the same {len(beside.requests)} requests, begun {waited:.0f} s later"
    )
