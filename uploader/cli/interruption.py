"""What a signal does to a run that sends: the request in flight may finish, the books are closed, nothing is begun."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.transport import Transport

_PATIENCE_S = 8.0
"""How long the request in flight may still take after a signal; the books are closed and published after that."""


@dataclass(slots=True)
class Interruption:
    """Remembers a signal, so that requests on its ``connections`` may finish; a second one ends the run at once."""

    number: int | None = field(default=None)
    connections: list[Transport] = field(default_factory=list)

    def handle(self, number: int, _frame: object) -> None:
        """Take a signal."""
        if self.number is not None:
            os._exit(128 + number)
        self.number = number
        timer = threading.Timer(_PATIENCE_S, self._end_request)
        timer.daemon = True
        timer.start()

    def _end_request(self) -> None:
        for connection in self.connections:
            connection.give_up()

    def sleep(self, seconds: float) -> None:
        """Sleep, unless a signal comes."""
        end = time.monotonic() + seconds
        while self.number is None and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to SIGINT and SIGTERM."""
        before = {number: signal.signal(number, self.handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
