"""Ends processes that work on a sent log: kill -9 at moments that nobody chose."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from tests.support.driver_process import KILLED, end, start


def _begin(report: Connection, work: Callable[..., None], *arguments: object) -> None:
    report.send(True)
    work(*arguments)


def _begun(work: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start some work; return when it begins, because to start a process takes longer than some of the work."""
    reports, report = Pipe(duplex=False)
    process = start(_begin, report, work, *arguments)
    report.close()
    reports.recv()
    return process


def run(work: Callable[..., None], *arguments: object) -> float:
    """Let a process do its work to the end; return how many seconds that took."""
    process, since = _begun(work, *arguments), time.monotonic()
    assert end(process) == 0
    return time.monotonic() - since


def kill_after(seconds: float, work: Callable[..., None], *arguments: object) -> bool:
    """Begin some work in a process of its own, and kill it; return whether it was still there."""
    process = _begun(work, *arguments)
    process.join(seconds)
    process.kill()
    return end(process) == KILLED


def kill_after_reports(count: int, seconds: float, work: Callable[..., None], *arguments: object) -> list[Any]:
    """Begin endless work that reports what it did, kill it so long after so many reports; return all of them."""
    reports, report = Pipe(duplex=False)
    process = start(work, report, *arguments)
    report.close()
    told = [reports.recv() for _ in range(count)]
    process.join(seconds)
    process.kill()
    assert end(process) == KILLED
    try:
        while True:
            told.append(reports.recv())
    except EOFError:
        return told


def moments(seconds: float, chance: random.Random, count: int) -> list[float]:
    """Choose moments between the beginning and a little after so many seconds."""
    return [chance.uniform(0, seconds * 1.2) for _ in range(count)]
