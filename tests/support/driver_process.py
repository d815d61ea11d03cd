"""Processes that are there at once: each is forked from one that has imported everything, and done nothing, before."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from tests.support.repository import ROOT

KILLED = -9
"""The exit code of a process that was killed."""


def start(function: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a function of a module below `tests.support` in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["pytest", "uploader.columns", "tests.support.chaos_run", "tests.support.failpoints_play"]
    )
    process = context.Process(target=function, args=arguments)
    with contextlib.chdir(ROOT):  # the first process is looked for from here
        process.start()
    return process


def end(process: BaseProcess) -> int | None:
    """Wait for the end of a process, and return its exit code."""
    process.join()
    code = process.exitcode
    process.close()
    return code
