"""A run of its own process, to be traced or to be given errors by strace: `python -m tests.support.ledger_faults`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.delivering import Platform, World, orders
from tests.support.ledger_life import NAME
from tests.support.repository import ROOT
from tests.support.servers import needed
from uploader.errors import UploaderError

EVENTS = 24


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: the requests that were made, the exit code of its problem (0: none), and what it said."""

    requests: list[list[str]]
    code: int
    text: str

    @property
    def posted(self) -> set[str]:
        """The ids of all events that left."""
        return {event_id for request in self.requests for event_id in request}


def deliver(folder: Path) -> Ended:
    """Send events two at a time to a platform that takes everything."""
    world = World(folder, Platform(), settings={"batch_size": 2})
    try:
        problem = world.run(orders(EVENTS)).problem
    except UploaderError as error:
        problem = error
    return Ended(world.platform.requests, problem.exit_code if problem else 0, str(problem or ""))


def tracer(folder: Path) -> list[str | Path]:
    """Return strace's command, or skip the test: it may be missing, or not be allowed to trace."""
    command = [needed("strace"), "-f", "-qq", "-y", "-s", "64", "-o", folder / "trace"]
    tried = subprocess.run([*command, "true"], check=False, capture_output=True)
    if tried.returncode:
        pytest.skip("strace may not trace processes here")
    return command


def under(rule: list[str], folder: Path) -> Ended:
    """Let a process of its own deliver, with what strace injects into its system calls."""
    command = [*tracer(folder), *rule, sys.executable, "-m", __name__, folder]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    return Ended(**json.loads(done.stdout))


def wal_and_requests(trace: str, names: str) -> Iterator[tuple[str, set[str]]]:
    """Say of a trace, in order: a ``write`` to the -wal file, a ``sync`` of it, a ``request`` begun, its ``body`` sent.

    With each come the ``names`` (a pattern) in what was written. A call that another thread interrupts is told in two
    lines: a write counts from its first, a sync from its last.
    """
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        process, _, call = line.partition(" ")
        call, named = call.lstrip(), set(re.findall(names, call))
        is_wal = f"{NAME}-wal>" in call
        if call.startswith("pwrite64(") and is_wal:
            yield "write", named
        elif call.startswith(("fdatasync(", "fsync(")) and is_wal:
            if "<unfinished" in call:
                begun[process] = "sync"
            elif call.endswith("= 0"):
                yield "sync", set()
        elif call.startswith("<... f") and begun.pop(process, None) and call.endswith("= 0"):
            yield "sync", set()
        elif call.startswith(("sendto(", "sendmsg(")):
            if '"POST ' in call:
                yield "request", set()
            if named:
                yield "body", named


if __name__ == "__main__":
    ended = deliver(Path(sys.argv[1]))
    print(json.dumps({"requests": ended.requests, "code": ended.code, "text": ended.text}))  # noqa: T201, for `under`
