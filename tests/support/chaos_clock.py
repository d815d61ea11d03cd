"""A clock that several processes read and set, and that outlives those which are killed."""

from __future__ import annotations

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SharedClock:
    """Ticks with the machine's uninterrupted clock, ahead of it by what stands in a file that all share."""

    def __init__(self, path: Path, begin: datetime | None = None) -> None:
        if begin is not None:
            path.write_bytes(struct.pack("d", (begin - _EPOCH).total_seconds() - time.monotonic()))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)

    def __call__(self) -> datetime:
        """Return the time."""
        ahead: float = struct.unpack("d", self._shared[:])[0]
        return _EPOCH + timedelta(seconds=ahead + time.monotonic())

    def forward(self, **amount: float) -> None:
        """Move on; one process at a time may do it."""
        ahead: float = struct.unpack("d", self._shared[:])[0]
        self._shared[:] = struct.pack("d", ahead + timedelta(**amount).total_seconds())

    def close(self) -> None:
        """Let the file go."""
        self._shared.close()
