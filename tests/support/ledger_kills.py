"""Ends processes that work on a sent log: kill -9 after so many seconds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from tests.support.driver_process import KILLED, end, start


def run(work: Callable[..., None], *arguments: object) -> float:
    """Let a process do its work to the end; return how many seconds that took."""
    told, begun = Pipe(duplex=False)
    process = start(_begin, begun, work, *arguments)
    told.recv()
    since = time.monotonic()
    assert end(process) == 0
    return time.monotonic() - since


def _begin(begun: Connection, work: Callable[..., None], *arguments: object) -> None:
    begun.send(True)
    work(*arguments)


def kill_after(seconds: float, work: Callable[..., None], *arguments: object) -> bool:
    """Begin some work in a process of its own, and kill it; return whether it was still there."""
    told, begun = Pipe(duplex=False)
    process = start(_begin, begun, work, *arguments)
    told.recv()  # to start a process takes longer than some of the work
    process.join(seconds)
    process.kill()
    return end(process) == KILLED


def moments(seconds: float, chance: random.Random, count: int) -> list[float]:
    """Choose moments between the beginning and a little after so many seconds."""
    return [chance.uniform(0, seconds * 1.2) for _ in range(count)]
