"""The real command in a process of its own, in a shop with a sandbox that tells of each request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.frames import event_frame
from tests.support.repository import ROOT
from tests.support.shop import NOW, orders, settings_for, write_marts
from uploader.ledger import Ledger, SqliteStore, reading
from uploader.sandbox import Sandbox

BATCH = 10
ANSWER_TAKES_S = 0.01
PATIENCE_S = 60
"""How long a test waits for a process or a request before it gives up."""


_INTERRUPTED = """
import os, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Interrupting())
from uploader.cli import main

main(["send", "--limit", "10", "--json"])
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its code as a shell shows it, what it printed, and how long after the signal."""

    code: int
    out: str
    error: str
    seconds: float

    @property
    def books(self) -> Mapping[str, Any] | None:
        """What it printed, if it came to printing."""
        return json.loads(self.out) if self.out else None


@dataclass
class Shop:
    """A folder with marts in which commands run, one after another, each a minute later than the last."""

    folder: Path
    sandbox: Sandbox = field(init=False)
    minutes: int = 0
    requests: int = 0

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.sandbox = Sandbox(clock=self.now, dataset_ids=["42"], on_request=self._answering)

    def now(self) -> datetime:
        """Return what the commands believe the time to be."""
        return NOW + timedelta(minutes=self.minutes)

    def _answering(self, _seen: object) -> None:
        with self.changed:
            self.requests += 1
            self.changed.notify_all()
        # The request is in flight for this long: here most signals are to come.
        threading.Event().wait(ANSWER_TAKES_S)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command."""
        return self.python("-m", "uploader", *words)

    def start_interrupted(self, module: str, number: int) -> subprocess.Popen[str]:
        """Start to send; the process gets a signal when this module is about to be imported."""
        return self.python("-c", _INTERRUPTED.format(module=module, number=int(number)))

    def python(self, *words: str) -> subprocess.Popen[str]:
        """Start Python with the settings of the shop."""
        self.minutes += 1
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(self.folder)}
        settings = settings_for(self.sandbox, self.now()) | {"UPLOADER__DESTINATIONS__META__BATCH_SIZE": str(BATCH)}
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env=environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_requests(self, count: int, process: subprocess.Popen[str]) -> None:
        """Wait until so many requests more were judged, or the process ended."""
        wanted = self.requests + count
        self._wait(lambda: self.requests >= wanted, process)

    def wait_for_fault(self, process: subprocess.Popen[str]) -> None:
        """Wait until a request has met the fault that was added, or the process ended."""
        self._wait(lambda: not self.sandbox.faults.pending(), process)

    def _wait(self, has_come: Callable[[], bool], process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + PATIENCE_S
        with self.changed:
            while not has_come() and process.poll() is None and time.monotonic() < end:
                self.changed.wait(0.05)

    def states(self) -> dict[str, str]:
        """Return the state of every key in the sent log; none before there is one."""
        store = SqliteStore(self.folder / "sent_log.sqlite")
        if not store.exists():
            return {}
        ledger = Ledger(store, self.now, "reader", read_only=True)
        try:
            return dict(reading.states(ledger, "meta:42", NOW - timedelta(days=30)).select("event_id", "state").rows())
        finally:
            ledger.close()

    def counted(self) -> Counter[str]:
        """Return how often each event was counted."""
        return Counter(event["event_id"] for event in self.sandbox.counted("42"))

    def resends(self) -> int:
        """Return how many events came that were counted before."""
        return self.sandbox.counts().get("42", {"duplicates": 0})["duplicates"]


def finish(process: subprocess.Popen[str], begun: float) -> Ended:
    """Wait for the end of a process; ``begun`` is when it was told to end (monotonic)."""
    try:
        out, error = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return Ended(code, out, error, time.monotonic() - begun)


def signalled(process: subprocess.Popen[str], *signals: int, gap: float = 0.0) -> Ended:
    """Send signals to a process, one after another, and wait for its end."""
    begun = time.monotonic()
    for position, number in enumerate(signals):
        if position:
            threading.Event().wait(gap)
        process.send_signal(number)
    return finish(process, begun)


@contextmanager
def opened(folder: Path, events: int) -> Iterator[Shop]:
    """Open a shop that sold so many things, all of which the gate has passed."""
    for name in ("dbt_project.yml", "profiles.yml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    shop = Shop(folder)
    write_marts(folder / "warehouse.duckdb", event_frame(*orders(events)))
    with shop.sandbox:
        checked = finish(shop.start("check"), time.monotonic())
        assert checked.code == 0, checked.error
        yield shop
