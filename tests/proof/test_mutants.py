"""The tests have teeth: each of ten mistakes that would lose or repeat events makes some of them fail."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest

from tests.support.delivering import NOW, orders
from tests.support.faulty_catalogue import SUCCESS, reply
from tests.support.faulty_server import FaultyServer, Visit
from tests.support.mutants import MUTANTS, ROOT, Mutant, copy_to, origin, run_tests
from tests.support.receiver import shop
from uploader.ledger.upkeep import keep
from uploader.settings import LedgerSettings
from uploader.transport import Timeouts, Transport

Done = subprocess.CompletedProcess[str]
HEALTHY = "healthy"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Done]:
    """Run the tests against each mutant, and all of them against a copy without a mistake, two at a time."""
    every = tuple(dict.fromkeys(chain.from_iterable(mutant.tests for mutant in MUTANTS)))

    def run(mutant: Mutant | None) -> tuple[str, Done]:
        folder = copy_to(tmp_path_factory.mktemp("copy"), mutant)
        return (mutant.name if mutant else HEALTHY), run_tests(folder, mutant.tests if mutant else every)

    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(run, (None, *MUTANTS)))


def test_the_tests_pass_without_a_mistake(results: Mapping[str, Done]) -> None:
    """What fails for a mutant passes for the product as it is."""
    assert results[HEALTHY].returncode == 0, results[HEALTHY].stdout


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_noticed(results: Mapping[str, Done], mutant: Mutant) -> None:
    """One test at least fails, by what it asserts and not because nothing runs any more."""
    done = results[mutant.name]
    assert done.returncode == 1, done.stdout
    assert not any(broken in done.stdout for broken in ("ImportError", "SyntaxError", "ERROR"))


def test_ten_of_ten_are_noticed(results: Mapping[str, Done], figure: Callable[[str, str], None]) -> None:
    """There are ten mistakes, and none goes unseen."""
    noticed = [mutant.name for mutant in MUTANTS if results[mutant.name].returncode == 1]
    assert len(noticed) == len(MUTANTS) == 10
    figure("D3", f"{len(noticed)} of {len(MUTANTS)}")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_made_in_one_place(mutant: Mutant) -> None:
    """The text to change stands in its file once; otherwise the table must be mended."""
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.old != mutant.new


def test_a_copy_is_tested_and_not_the_tree(tmp_path: Path) -> None:
    """The tests of a copy import the copy's product, although the tree's is installed."""
    assert origin(copy_to(tmp_path, None)).startswith(str(tmp_path))


def send_away(visit: Visit) -> None:
    """Redirect the first request, and welcome the one that follows it."""
    visit.request()
    status = "302 Found" if len(visit.server.heads) == 1 else "200 OK"
    visit.say(reply(SUCCESS, status, "Location: /elsewhere"))


def test_a_redirect_leads_nowhere() -> None:
    """The answer is taken as it is: a POST that is redirected becomes a GET, which succeeds with nothing sent."""
    with FaultyServer(send_away).open() as server:
        transport = Transport(Timeouts(connect=2, read=5, total=10))
        answer = transport.post(f"http://127.0.0.1:{server.port}/events", b"{}", {})
        transport.close()
    assert (answer.status, server.paths) == (302, ["/events"])


def test_an_event_is_remembered_as_long_as_it_can_be_sent(tmp_path: Path) -> None:
    """Some platforms accept it for 90 days: upkeep on every tenth day forgets nothing of it, and it stays sent."""
    world, accepted_until = shop(tmp_path), "2027-02-18T11:00:00"
    rows = orders(20, action_source="physical_store", expires_at=accepted_until)
    world.run(rows)
    for day in (10, 20, 30, 40, 50, 60, 70, 80, 89):
        world.clock.now = NOW + timedelta(days=day)
        with world.ledger() as ledger:
            keep(ledger, world.clock, LedgerSettings())
        assert (world.run(rows).books.already, len(world.platform.requests)) == (20, 1)
