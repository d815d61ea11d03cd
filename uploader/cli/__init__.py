"""The command line."""

from __future__ import annotations

import gc
import os
import signal


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code."""
    # Until the command listens itself: no traceback out of an import, and not the system's own way of ending either,
    # which the import of Polars switches off for SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    # Until all is imported: none of it is garbage, and to look for that takes a tenth of a short command.
    gc.disable()
    from uploader.cli import app

    app.main(arguments)


def _leave(number: int, _frame: object) -> None:
    os._exit(128 + number)
