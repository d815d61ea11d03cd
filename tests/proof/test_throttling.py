"""A platform in trouble is asked less, and later: waiting times, retries, the breaker, and a token that is revoked."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import polars as pl
import pytest
import tenacity

from tests.support.delivering import NOW
from tests.support.receiver import Fate, Seen, Shop, in_turn, many, shop
from uploader.delivery.exchange import BACKOFF
from uploader.delivery.run import exit_code

MINUTE = timedelta(minutes=1)


@pytest.fixture
def seeded() -> Iterator[None]:
    """Repeat the same chances in every run; the product draws from Python's own generator."""
    before = random.getstate()
    random.seed(20261120)
    yield
    random.setstate(before)


def waits(attempt: int, count: int) -> list[float]:
    """Draw waiting times after that many failed tries, from the function that delivery uses."""
    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    state.attempt_number = attempt
    return [BACKOFF(state) for _ in range(count)]


def uniform_p(values: Sequence[float], top: float) -> float:
    """Return the p-value of the Kolmogorov–Smirnov test against a uniform distribution from 0 to ``top``.

    D is the largest distance between the two distribution functions, and p the limit series of Kolmogorov with
    Stephens' correction for a finite sample (Numerical Recipes, 14.3.3).
    """
    n, ordered = len(values), sorted(value / top for value in values)
    distance = max(max((i + 1) / n - x, x - i / n) for i, x in enumerate(ordered))
    scaled = (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)) * distance
    return 2 * sum((-1) ** (j - 1) * math.exp(-2 * (j * scaled) ** 2) for j in range(1, 101))


def test_waiting_times_are_spread_evenly(seeded: None, figure: Callable[[str, str], None]) -> None:
    """Full jitter: 10,000 draws look uniform up to the cap of each try, and their mean is half of it."""
    least_p, worst_mean = 1.0, 0.0
    for attempt, cap in ((1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (9, 60)):
        drawn = waits(attempt, 10_000)
        least_p = min(least_p, uniform_p(drawn, cap))
        worst_mean = max(worst_mean, abs(sum(drawn) / len(drawn) / (cap / 2) - 1))
    assert least_p > 0.01
    assert worst_mean < 0.02
    assert uniform_p([wait**2 for wait in waits(1, 10_000)], 1) < 0.01, "the test would not see a wrong distribution"
    figure(
        "N5", f"6 caps × 10,000 waits: uniform with p ≥ {least_p:.2f}, means within {worst_mean:.1%} of half the cap"
    )


def test_clients_do_not_come_back_together(seeded: None, figure: Callable[[str, str], None]) -> None:
    """A hundred clients that failed at one moment: no second sees twice as many of them as the average one."""
    rounds, shares = 100, []
    for attempt, cap in ((4, 8), (5, 16), (9, 60)):
        seconds = Counter(int(wait) for _ in range(rounds) for wait in waits(attempt, 100))
        shares.append(max(seconds.values()) / (100 * rounds / cap))
    assert max(shares) <= 2
    figure(
        "N5", f"100 clients after a common failure, {rounds} rounds: the fullest second has {max(shares):.2f} × mean"
    )


def test_a_run_waits_with_jitter_between_tries(tmp_path: Path, seeded: None) -> None:
    """Six tries of a batch, and five pauses of at most 1, 2, 4, 8 and 16 seconds."""
    world = shop(tmp_path)
    world.platform.way = lambda: Fate.UNREACHABLE
    world.run(many(3))
    assert len(world.platform.requests) == 6
    assert [pause <= cap for pause, cap in zip(world.slept, (1, 2, 4, 8, 16), strict=True)] == [True] * 5


@pytest.mark.parametrize("accepted", [0, 1, 7])
def test_a_token_that_is_revoked_in_a_run_kills_nothing(
    tmp_path: Path, accepted: int, figure: Callable[[str, str], None]
) -> None:
    """Two more requests at most, exit 4, nothing dead, and everything that was not accepted is free to be sent."""
    world = shop(tmp_path, batch_size=100)
    world.platform.way = in_turn([Fate.ANSWERED] * accepted + [Fate.BLOCKED] * 50)
    report = world.run(many(1000))
    more = len(world.platform.requests) - accepted
    assert more <= 2
    assert exit_code([report]) == 4
    assert (report.books.acked, report.books.dead, report.books.in_doubt) == (100 * accepted, 0, 0)
    assert report.books.released + report.books.deferred == 1000 - 100 * accepted
    world.platform.way = lambda: Fate.ANSWERED
    world.run(many(1000))
    assert (len(world.platform.counted), world.platform.doubles) == (1000, [])
    figure("N3", f"token revoked after {accepted} batches: {more} more requests, 0 dead, exit 4")


def run_each_minute(world: Shop, rows: pl.DataFrame) -> Iterator[list[Seen]]:
    """Run forty times, a minute apart or later, and give each run's requests."""
    for minute in range(40):
        world.clock.now = max(world.clock.now, NOW + minute * MINUTE)
        before = len(world.platform.requests)
        world.run(rows)
        yield world.platform.requests[before:]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_outage_of_most_requests_is_survived_without_a_storm(
    tmp_path: Path, seed: int, figure: Callable[[str, str], None]
) -> None:
    """70 % errors for ten minutes, a run each minute: few extra requests, the breaker opens, all is counted once."""
    world, chance, worst, opened = shop(tmp_path, batch_size=20), random.Random(seed), 0.0, 0

    def way() -> Fate:
        is_bad = world.clock.now < NOW + 10 * MINUTE and chance.random() < 0.7
        return chance.choice((Fate.FAILED, Fate.FAILED_LATE)) if is_bad else Fate.ANSWERED

    world.platform.way = way
    for made in run_each_minute(world, many(1000)):
        # Tries of one batch hold the same events.
        batches = len({request.ids for request in made})
        worst = max(worst, len(made) - batches - 0.2 * batches)
        with world.ledger() as ledger:
            opened += ledger.breaker("meta:42").is_open(world.clock.now)
    assert worst <= 10
    assert opened
    assert (set(world.states().values()), len(world.platform.counted), world.platform.doubles) == ({"acked"}, 1000, [])
    total = len(world.platform.requests)
    figure(
        "N8", f"70 % errors for 10 min, seed {seed}: 1,000 events acked in {total} requests, open after {opened} runs"
    )


@pytest.mark.parametrize("told", [5, 59, 61, 600, 3600, 86_400])
@pytest.mark.parametrize("as_date", [False, True])
def test_a_platform_is_never_called_earlier_than_it_asked(tmp_path: Path, told: int, as_date: bool) -> None:
    """Waiting times in seconds or as a date hold inside a run, and for the runs of the next minutes or hours."""
    world = shop(tmp_path)
    # The date is measured against the answer's own, which is half a second after the request began.
    until = NOW + timedelta(seconds=told + world.platform.seconds)
    world.platform.retry_after = format_datetime(until, usegmt=True) if as_date else str(told)
    world.platform.way = in_turn([Fate.THROTTLED])
    reports = [world.run(many(3))]
    while not reports[-1].books.acked and len(reports) < 20:
        world.clock.forward(seconds=max(1, told // 10))
        reports.append(world.run(many(3)))
    first, second = world.platform.requests
    assert (second.at - first.at).total_seconds() >= told
    assert exit_code(reports[:1]) == (0 if told <= 60 else 75)


def test_a_throttle_without_a_time_is_a_minute(tmp_path: Path) -> None:
    """Where the platform names no time, it is left alone for sixty seconds, and the run goes on."""
    world = shop(tmp_path)
    world.platform.way = in_turn([Fate.THROTTLED])
    assert exit_code([world.run(many(3))]) == 0
    first, second = world.platform.requests
    assert (second.at - first.at).total_seconds() >= 60


def test_a_wait_beyond_the_deadline_ends_the_run_at_once(tmp_path: Path) -> None:
    """No pause that cannot be waited out is begun, and the next process knows of it."""
    world = shop(tmp_path)
    world.platform.retry_after, world.platform.way = "50", in_turn([Fate.THROTTLED])
    report = world.run(many(3), deadline=NOW + timedelta(seconds=100))
    assert (exit_code([report]), world.slept, len(world.platform.requests)) == (75, [], 1)
    assert report.books.released == 3
    world.clock.now = NOW + timedelta(seconds=49)
    assert exit_code([world.run(many(3))]) == 75
    assert len(world.platform.requests) == 1
    world.clock.now = NOW + timedelta(seconds=52)
    assert world.run(many(3)).books.acked == 3
