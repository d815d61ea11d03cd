"""A receiver that costs next to nothing: `python -m benchmarks.receiver [SECONDS]` prints its port and serves.

It takes any POST, counts the events in its body, and answers as Meta does, after a delay where one is asked for. A GET
returns how many events came since the last GET. It reads into one buffer per connection and parses nothing.
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
        """Return how many events came since this was last asked."""
        with urllib.request.urlopen(f"{self.url}/") as answer:
            return int(json.load(answer)["events_received"])


@contextmanager
def receiver(delay: float = 0) -> Iterator[Receiver]:
    """Run a receiver in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.receiver", str(delay)]
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

    def add(self, events: int) -> None:
        with self._lock:
            self._events += events

    def take(self) -> int:
        with self._lock:
            events, self._events = self._events, 0
            return events


def _converse(connection: socket.socket, delay: float, tally: _Tally) -> None:
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
            if buffer.startswith(b"GET"):
                events = tally.take()
            else:
                events = buffer.count(_NAME, end, whole)
                tally.add(events)
                if delay:
                    time.sleep(delay)
            filled = 0
            body = b'{"events_received":%d,"messages":[],"fbtrace_id":"x"}' % events
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection.sendall(head + body)


def main() -> None:
    """Serve until the process is ended."""
    delay, tally = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0, _Tally()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_converse, args=(connection, delay, tally), daemon=True).start()


if __name__ == "__main__":
    main()
