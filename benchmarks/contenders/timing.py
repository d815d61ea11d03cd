"""A stopwatch that counts only what is inside of it: for contenders that are timed from within."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stopwatch:
    """Adds up seconds and events."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.events = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time inside."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - begun

    def tell(self) -> None:
        """Print the sum as one JSON object."""
        print(json.dumps({"seconds": self.seconds, "events": self.events}), flush=True)
