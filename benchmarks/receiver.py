"""A receiver that costs next to nothing: `python -m benchmarks.receiver [SECONDS] [STATUS]` prints its port and serves.

It takes any POST, counts the events in its body, and answers as Meta does, after a delay where one is asked for; with
another status than 200 it refuses everything. A GET returns how many events came since the last GET, and how much time
lay between the first and the last of them. It reads into one buffer per connection and parses nothing.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import ROOT, quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = b"event_name"
"""Stands once in each event, and neither JSON nor a form's encoding changes it."""
_LENGTH: Final = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_BUFFER_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that runs."""

    url: str

    def taken(self) -> int:
        """Return how many events came since this, or `lasted`, was last asked."""
        return int(self._told()["events_received"])

    def lasted(self) -> float:
        """Return the seconds from the first to the last request since this, or `taken`, was last asked."""
        return float(self._told()["seconds"])

    def _told(self) -> dict[str, float]:
        with urllib.request.urlopen(f"{self.url}/") as answer:
            found: dict[str, float] = json.load(answer)
            return found


@contextmanager
def receiver(delay: float = 0, status: int = 200) -> Iterator[Receiver]:
    """Run a receiver in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.receiver", str(delay), str(status)]
    with subprocess.Popen(command, cwd=ROOT, env=quiet(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield Receiver(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


class _Tally:
    """Events over all connections."""

    def __init__(self) -> None:
        self._lock, self._events = threading.Lock(), 0
        self._first = self._last = 0.0

    def add(self, events: int) -> None:
        now = time.perf_counter()
        with self._lock:
            self._first, self._last = self._first or now, now
            self._events += events

    def take(self) -> tuple[int, float]:
        with self._lock:
            found = self._events, self._last - self._first
            self._events, self._first, self._last = 0, 0.0, 0.0
            return found


def _converse(connection: socket.socket, delay: float, status: int, tally: _Tally) -> None:
    """Answer one client until it leaves."""
    buffer, filled = bytearray(_BUFFER_BYTES), 0
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            end = -1
            while end < 0:
                read = connection.recv_into(memoryview(buffer)[filled:])
                if not read:
                    return
                filled += read
                end = buffer.find(b"\r\n\r\n", 0, filled)
            length = _LENGTH.search(buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if whole > len(buffer):
                buffer += bytes(whole - len(buffer))
            while filled < whole:
                read = connection.recv_into(memoryview(buffer)[filled:whole])
                if not read:
                    return
                filled += read
            seconds, code = 0.0, status
            if buffer.startswith(b"GET"):
                (events, seconds), code = tally.take(), 200
            else:
                events = buffer.count(_NAME, end, whole)
                tally.add(events)
                if delay:
                    time.sleep(delay)
            filled = 0
            body = b'{"events_received":%d,"seconds":%.3f,"messages":[],"fbtrace_id":"x"}' % (events, seconds)
            head = b"HTTP/1.1 %d Told\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
                code,
                len(body),
            )
            connection.sendall(head + body)


def main() -> None:
    """Serve until the process is ended."""
    delay = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    status = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    tally = _Tally()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_converse, args=(connection, delay, status, tally), daemon=True).start()


if __name__ == "__main__":
    main()
