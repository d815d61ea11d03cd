"""The sandbox as a command: runs until it is interrupted, and tells what it counted."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from uploader.sandbox.sandbox import Sandbox, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def serve(
    port: int = 8765,
    token: str = "sandbox-token",  # noqa: S107 - no secret: the sandbox guards nothing
    dataset_id: str | None = None,
    now: datetime | None = None,
) -> None:
    """Print the address, then one line per upload, and the counts at Ctrl-C or SIGTERM."""
    sandbox = Sandbox(
        port=port,
        token=token,
        dataset_ids=None if dataset_id is None else [dataset_id],
        on_request=lambda seen: _say(_line(seen)),
    )
    sandbox.set_clock(now)
    is_over = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: is_over.set()) for number in signals}
    try:
        with sandbox:
            _say(f"sandbox {sandbox.url} (what it counted: {sandbox.url}/)")
            is_over.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for name, figures in sandbox.counts().items():
        _say(_total(name, figures))


def _total(dataset_id: str, figures: Mapping[str, Any]) -> str:
    value = ", ".join(f"{amount} {currency}" for currency, amount in figures["value"].items())
    counted = f"{figures['counted']} counted, {figures['duplicates']} duplicates"
    return f"dataset {_plain(dataset_id)}: {counted}, {value or 'no value'}"


def _line(seen: Seen) -> str:
    time = seen.at.strftime("%Y-%m-%d %H:%M:%S")
    result = f"{seen.counted} counted, {seen.duplicates} duplicates"
    if seen.refused is not None:
        result = f"refused {seen.refused}"
    fault = f" (fault: {seen.fault})" if seen.fault else ""
    return f"{time} dataset {_plain(seen.dataset_id)}: HTTP {seen.status}, {result}{fault}"


def _plain(text: str) -> str:
    """Keep a stranger's text on one line."""
    return text if text.isalnum() else repr(text)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
