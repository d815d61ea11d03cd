"""The command line."""

from __future__ import annotations

import signal


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code."""
    # Until the command listens itself, an interrupted one ends without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from uploader.cli import app

    app.main(arguments)
