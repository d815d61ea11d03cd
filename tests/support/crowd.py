"""Several processes that run commands when told to, all at once: `python -m tests.support.crowd FD …`, one per FD.

They are forked from one process that has imported everything and done nothing, which saves seconds for each.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "uploader.cli.app",
    "uploader.cli.check",
    "uploader.cli.send",
    "uploader.columns",
    "uploader.transport",
    "uploader.quality.expectations",
    "great_expectations",
    "uploader.ledger.postgres",
)
PATIENCE_S = 120.0


@dataclass(slots=True)
class Result:
    """What became of one command: exit code, seconds, what it told people, and when it held the lock."""

    code: int
    seconds: float
    told: str
    held: list[tuple[float, float]]


@dataclass(slots=True)
class Member:
    """One of the processes, seen from the test."""

    line: socket.socket
    pid: int = 0
    _read: Any = field(default=None)

    def __post_init__(self) -> None:
        self.line.settimeout(PATIENCE_S)
        self._read = self.line.makefile("r", encoding="utf-8")

    def tell(self, *words: str) -> None:
        """Let it run a command."""
        self.line.sendall((json.dumps(words) + "\n").encode())

    def answer(self) -> Any:
        """Wait for the next line that it writes."""
        return json.loads(self._read.readline())

    def result(self) -> Result:
        """Wait until the command has ended."""
        return Result(**self.answer())

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)


@contextlib.contextmanager
def crowd(size: int, folder: Path, environment: Mapping[str, str]) -> Iterator[list[Member]]:
    """Run processes in a folder, with an environment of their own beside this one's; they end with the block."""
    pairs = [socket.socketpair() for _ in range(size)]
    theirs = [their.fileno() for _, their in pairs]
    command = [sys.executable, "-m", "tests.support.crowd", *map(str, theirs)]
    surroundings = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
    members: list[Member] = []
    with subprocess.Popen(command, cwd=folder, env=surroundings, pass_fds=theirs) as mother:
        try:
            for our, their in pairs:
                their.close()
                members.append(Member(our))
            for member in members:
                member.pid = member.answer()
            yield members
        finally:
            for member in members:
                with contextlib.suppress(ProcessLookupError):
                    if member.pid:
                        member.signal(signal.SIGKILL)
                member.line.close()
            mother.kill()


# ------------------------------------------------------------------ in the processes


def _recorded(held: list[tuple[float, float]]) -> None:
    """Note when the lock is held: from after it was got until before it is let go, by a clock that all share."""
    from uploader.cli import context

    make = context.store_for

    def store_for(*arguments: Any) -> Any:
        store = make(*arguments)
        lock = store.locked

        @contextlib.contextmanager
        def locked(clock: Any) -> Iterator[None]:
            with lock(clock):
                begun = time.monotonic()
                try:
                    yield
                finally:
                    held.append((begun, time.monotonic()))

        store.locked = locked
        return store

    context.store_for = store_for


def _serve(line: socket.socket) -> None:
    from uploader.cli.app import run

    held: list[tuple[float, float]] = []
    _recorded(held)
    with line, line.makefile("rw", encoding="utf-8") as talk:
        talk.write(f"{os.getpid()}\n")
        talk.flush()
        for words in talk:
            held.clear()
            told, begun = io.StringIO(), time.monotonic()
            with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
                code = run(json.loads(words))
            seconds = time.monotonic() - begun
            talk.write(json.dumps({"code": code, "seconds": seconds, "told": told.getvalue(), "held": held}) + "\n")
            talk.flush()


def main(descriptors: Sequence[str]) -> None:
    """Import everything once, and become one process for each descriptor."""
    for name in HEAVY:
        importlib.import_module(name)
    children = []
    for descriptor in descriptors:
        child = os.fork()
        if child == 0:
            for other in descriptors:
                if other != descriptor:
                    os.close(int(other))
            _serve(socket.socket(fileno=int(descriptor)))
            os._exit(0)
        children.append(child)
    for descriptor in descriptors:
        os.close(int(descriptor))
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
