"""What a signal does to a run that sends: the request in flight may finish, the books are closed, nothing is begun."""

from __future__ import annotations

import os
import select
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
    _bell: int | None = field(default=None)
    """What the interpreter writes to when a signal comes, while `handle` waits for what the main thread is at."""

    def handle(self, number: int, _frame: object) -> None:
        """Take a signal."""
        if self.number is not None:
            os._exit(128 + number)
        self.number = number
        timer = threading.Timer(_PATIENCE_S, self._end_request)
        timer.daemon = True
        timer.start()

    def has_come(self) -> bool:
        """Tell whether there was a signal, in any thread: none may begin a request while the main one is held up."""
        if self.number is not None:
            return True
        try:
            return self._bell is not None and select.select([self._bell], [], [], 0)[0] != []
        except (OSError, ValueError):
            return False  # closed: the run is over

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
        self._bell, rung = os.pipe()
        os.set_blocking(rung, False)
        other = signal.set_wakeup_fd(rung, warn_on_full_buffer=False)
        before = {number: signal.signal(number, self.handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(other)
            os.close(rung)
            os.close(self._bell)
            self._bell = None
