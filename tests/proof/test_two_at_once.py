"""Many schedulers at once: one works at a time, the others end and say who does, and nothing is sent twice."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from tests.support.crowd import PATIENCE_S, Member, Result, crowd
from tests.support.frames import event_frame
from tests.support.postgres import Server
from tests.support.proof import size
from tests.support.shop import DATASET, NOW, ROOT, orders, settings_for, write_marts
from uploader.sandbox import Sandbox
from uploader.sandbox.sandbox import Seen

PROCESSES = 8
EVENTS = 5


@dataclass
class Gate:
    """Keeps the platform's answers back while it is shut, so that whoever asked is at work until it opens."""

    opened: threading.Event = field(default_factory=threading.Event)
    came: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _seen: Seen) -> None:
        """Hold the answer to one request back; what was asked is counted already."""
        self.came.set()
        self.opened.wait(PATIENCE_S)

    def shut(self) -> None:
        """Let nobody through from now on."""
        self.opened.clear()
        self.came.clear()


@dataclass
class Shop:
    """A shop in a folder, the platform that it sends to, and the schedulers that want to."""

    folder: Path
    sandbox: Sandbox
    gate: Gate
    members: list[Member]

    def sells(self, number: int) -> None:
        """Let dbt have built new orders."""
        names = ("event_key", "event_id")
        rows = [row | dict.fromkeys(names, f"purchase.{number}.{row['order_id']}") for row in orders(EVENTS)]
        write_marts(self.folder / "warehouse.duckdb", event_frame(*rows))

    def times_received(self) -> list[int]:
        """Return for each event that was counted how often it came."""
        return [event["times_received"] for event in self.sandbox.counted(DATASET)]

    def together(self, *, shut: bool) -> list[Result]:
        """Let all run at once; behind a shut gate, whoever works goes on only when all the others have ended."""
        self.gate.opened.set()
        if shut:
            self.gate.shut()
        for member in self.members:
            member.tell("send")
        with ThreadPoolExecutor(len(self.members)) as pool:
            waiting = [pool.submit(member.result) for member in self.members]
            try:
                for ended, _ in enumerate(as_completed(waiting, PATIENCE_S / 2), 1):
                    if ended == len(self.members) - 1:
                        self.gate.opened.set()
            finally:
                self.gate.opened.set()
        return [future.result() for future in waiting]


@contextmanager
def shop(folder: Path, processes: int, ledger: dict[str, str]) -> Iterator[Shop]:
    """Open a shop in a folder, with schedulers for it; its batches hold two events."""
    for name in ("dbt_project.yml", "profiles.yml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    gate = Gate()
    with Sandbox(clock=lambda: NOW, dataset_ids=[DATASET], on_request=gate) as sandbox:
        environment = settings_for(sandbox, NOW) | {"UPLOADER__DESTINATIONS__META__BATCH_SIZE": "2"} | ledger
        with crowd(processes, folder, environment) as members:
            yield Shop(folder, sandbox, gate, members)


def in_postgres(url: str) -> dict[str, str]:
    """Return the settings that put the sent log into PostgreSQL."""
    return {"UPLOADER__LEDGER__URL_ENV": "SENT_LOG", "SENT_LOG": url}


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_of_eight_schedulers_one_works_at_a_time(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, figure: Callable[[str, str], None]
) -> None:
    """Every second round those who came too late must end while the first one is at work, and say who it is."""
    rounds = size(6, 100)
    ledger = in_postgres(request.getfixturevalue("postgres").fresh()) if kind == "postgres" else {}
    held, refused = [], []
    with shop(tmp_path, PROCESSES, ledger) as it:
        for number in range(rounds):
            it.sells(number)
            results = it.together(shut=number % 2 == 0)
            workers = _judge(it.members, results, shut=number % 2 == 0)
            held += [(worker, *span) for worker in workers for span in worker.held]
            refused += [result.seconds for result in results if result.code == 75]
        times = it.times_received()
    spans = sorted(span[1:] for span in held)
    assert [pair for pair in pairwise(spans) if pair[0][1] > pair[1][0]] == [], "two held the lock together"
    assert times == [1] * (rounds * EVENTS)
    figure(
        "D4",
        f"{kind}: {PROCESSES} processes × {rounds} rounds: {len(held)} worked, 0 together; {len(refused)} ended with 75"
        f" after {max(refused):.1f} s at most; {len(times)} events, 0 sent twice",
    )


def _judge(members: list[Member], results: list[Result], *, shut: bool) -> list[Result]:
    """Look at one round: who worked ended well, and the others know a process that did."""
    told = "\n".join(result.told for result in results)
    assert {result.code for result in results} <= {0, 75}, told
    workers = [result for result in results if result.code == 0]
    names = {str(member.pid) for member, result in zip(members, results, strict=True) if result.code == 0}
    assert len(workers) == 1 if shut else workers, told
    for result in results:
        if result.code == 75:
            found = re.search(
                r"Another run holds the lock .*\(pid (\d+) on \S+ since 2026-11-20T14:\S+Z\)", result.told
            )
            assert found, told
            assert found[1] in names, told
            assert result.held == []
    return workers


def _stop_at_work(it: Shop) -> None:
    """Let the first process ask, stop it before it gets the answer, and see that the other one is refused."""
    first, second = it.members
    it.gate.shut()
    first.tell("send")
    assert it.gate.came.wait(PATIENCE_S)
    first.signal(signal.SIGSTOP)
    second.tell("send")
    assert (second.result().code, len(it.sandbox.requests())) == (75, 1)


def test_a_stopped_process_that_lost_its_session_sends_nothing_more(
    postgres: Server, tmp_path: Path, figure: Callable[[str, str], None]
) -> None:
    """SIGSTOP between a request and its answer; another host takes over and ends; SIGCONT: it stops with 75."""
    url = postgres.fresh()
    with shop(tmp_path, 2, in_postgres(url)) as it:
        first, second = it.members
        it.sells(0)
        _stop_at_work(it)
        end_sessions(url)
        it.gate.opened.set()
        second.tell("send")
        assert (second.result().code, it.times_received()) == (0, [2, 2, 1, 1, 1])
        asked = len(it.sandbox.requests())
        first.signal(signal.SIGCONT)
        result = first.result()
        assert (result.code, len(it.sandbox.requests())) == (75, asked), result.told
        assert "No further request is made" in result.told
        second.tell("send")
        assert (second.result().code, len(it.sandbox.requests())) == (0, asked)
    figure("D5", "process stopped (SIGSTOP) and its session ended: 5 events, 2 sent again, 0 counted twice")


def end_sessions(url: str) -> None:
    """End the session that holds the lock, and wait until it is gone."""
    query = "select pg_terminate_backend(pid, 10000) from pg_locks where locktype = 'advisory' and granted"
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(query).fetchall() == [(True,)]
