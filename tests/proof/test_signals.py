"""SIGTERM and SIGINT at any moment: the command ends soon, with its code, and leaves no doubt behind."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.support.chaos_command import BATCH, Ended, Shop, finish, opened, signalled
from tests.support.proof import size

ROUNDS = size(16, 200)
EVENTS = ROUNDS * 150
IN_FLIGHT = 3
"""Requests that may be seen after a signal was sent: it travels too."""
SOON_S = 12.0
AT_ONCE_S = 5.0
SEED = 1


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with work for all rounds."""
    with opened(tmp_path_factory.mktemp("signals"), EVENTS) as it:
        yield it


def interrupt(shop: Shop, chance: random.Random, number: int) -> tuple[Ended, int]:
    """Start a run and send it one signal: two of three times after some request of it, else at any time.

    Return also how many requests came after the signal.
    """
    process = shop.start("send", "--json")
    if chance.random() < 2 / 3:
        shop.wait_for_requests(chance.randint(0, 25), process)
        wait = chance.uniform(0, 0.05)
    else:
        wait = chance.uniform(0, 2.5)
    try:
        process.wait(wait)
    except subprocess.TimeoutExpired:
        before = shop.requests
        return signalled(process, number), shop.requests - before
    return finish(process, time.monotonic()), 0


def in_doubt(shop: Shop) -> set[str]:
    """Return the events in doubt."""
    return {event_id for event_id, state in shop.states().items() if state == "intent"}


def mistakes(shop: Shop, ended: Ended, number: int) -> list[str]:
    """Say what is wrong with the end of a run."""
    found = []
    # Python itself, interrupted before it runs any of our code, may end with 1 and show nothing but files of its own.
    is_pythons_own = ended.code == 1 and "Traceback" in ended.error and "/uploader/" not in ended.error
    if ended.code not in (128 + number, 0) and not is_pythons_own:
        found.append(f"code {ended.code}: {ended.error[-500:]}")
    if ended.seconds > SOON_S:
        found.append(f"ended only after {ended.seconds:.1f} s")
    # Before our code is there Python itself shows one, for a few milliseconds.
    if "Traceback" in ended.error and "app.py" in ended.error:
        found.append(ended.error[-2000:])
    if doubtful := in_doubt(shop):
        found.append(f"{len(doubtful)} events in doubt")
    if ended.books is not None and "destinations" in ended.books and not ended.books["balanced"]:
        found.append("the books do not balance")
    return found


def hanging(shop: Shop) -> subprocess.Popen[str]:
    """Return a run of which a request is in flight, and no answer comes."""
    shop.sandbox.faults.add("hang")
    process = shop.start("send", "--limit", str(BATCH), "--json")
    shop.wait_for_fault(process)
    return process


def resent(shop: Shop, doubtful: set[str]) -> Counter[str]:
    """Return how often the events that were in doubt are counted after another run."""
    shop.sandbox.faults.release()
    ended = finish(shop.start("send", "--limit", str(BATCH), "--json"), time.monotonic())
    assert (ended.code, in_doubt(shop)) == (0, set()), ended.error
    counted = shop.counted()
    return Counter({event_id: counted[event_id] for event_id in doubtful})


def test_an_answer_that_does_not_come_is_not_waited_for_long(shop: Shop) -> None:
    """The request in flight is given up, and stays in doubt; the next run sends it again, and it counts once."""
    ended = signalled(hanging(shop), signal.SIGTERM)
    doubtful = in_doubt(shop)
    assert (ended.code, len(doubtful)) == (128 + signal.SIGTERM, BATCH)
    assert set(resent(shop, doubtful).values()) == {1}
    assert ended.seconds <= SOON_S


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_run_at_once(shop: Shop, second: int) -> None:
    """What was in flight is in doubt, as after a crash; the next run sends it again, and it counts once."""
    ended = signalled(hanging(shop), signal.SIGTERM, second, gap=0.2)
    doubtful = in_doubt(shop)
    assert (ended.code, len(doubtful), ended.seconds < AT_ONCE_S) == (128 + second, BATCH, True)
    assert set(resent(shop, doubtful).values()) == {1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("module", ["typer", "polars", "duckdb", "uploader.cli.send"])
def test_a_signal_while_the_command_starts_is_not_lost(shop: Shop, module: str, number: int) -> None:
    """Whatever is being imported: it ends, without a traceback, and nothing was sent. Polars catches SIGINT itself."""
    before = shop.requests
    ended = finish(shop.start_interrupted(module, number), time.monotonic())
    assert (ended.code, shop.requests - before) == (128 + number, 0), ended.error
    assert "Traceback" not in ended.error


def test_a_signal_at_any_moment_leaves_no_doubt(shop: Shop, figure: Callable[[str, str], None]) -> None:
    """Nothing is in doubt after any of the runs, and in the end everything was counted once, at the first try.

    It stands last, because it leaves nothing to send.
    """
    chance, slowest, wrong, before = random.Random(SEED), 0.0, [], shop.resends()
    for round_number in range(ROUNDS):
        number = chance.choice((signal.SIGTERM, signal.SIGINT))
        ended, more = interrupt(shop, chance, number)
        slowest = max(slowest, ended.seconds)
        found = mistakes(shop, ended, number) + [f"{more} requests after the signal"] * (more > IN_FLIGHT)
        wrong += [f"seed {SEED}, round {round_number}, {number.name}: {why}" for why in found]
    assert not wrong, "\n".join(wrong)
    last = finish(shop.start("send", "--json"), time.monotonic())
    assert last.code == 0, last.error
    counted = shop.counted()
    assert (len(counted), set(counted.values())) == (EVENTS, {1})
    assert shop.resends() == before
    figure("D10", f"{ROUNDS} signals: slowest end {slowest:.1f} s, in doubt 0, lost 0, double 0, sent again 0")
