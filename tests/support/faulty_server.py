"""A server on this machine's loopback that breaks the rules of HTTP, TLS and good manners, one fault at a time."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PIECE = b"x" * 65_536


class Visit:
    """One connection of a client, with what a fault does to it."""

    def __init__(self, connection: socket.socket, server: FaultyServer) -> None:
        self.connection = connection
        self.server = server

    def request(self) -> bytes:
        """Read one whole request; empty when the client went away."""
        text = b""
        while b"\r\n\r\n" not in text:
            piece = self.connection.recv(65_536)
            if not piece:
                return b""
            text += piece
        head, _, body = text.partition(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(lines.get(b"content-length", b"0")):
            piece = self.connection.recv(65_536)
            if not piece:
                return b""
            body += piece
        self.server.heads.append(head)
        return body

    def say(self, *pieces: bytes) -> None:
        """Send bytes as they are."""
        for piece in pieces:
            self.connection.sendall(piece)

    def flood(self, piece: bytes, total: int) -> None:
        """Send one piece again and again, so many bytes in all."""
        for _ in range(total // len(piece)):
            self.connection.sendall(piece)

    def drip(self, piece: bytes) -> None:
        """Send one piece twenty times a second, until the client goes or the server ends."""
        while not self.server.is_over.wait(0.05):
            self.connection.sendall(piece)

    def hang(self) -> None:
        """Do nothing until the server ends."""
        self.server.is_over.wait()

    def end(self) -> None:
        """Say that no more will come, and read on."""
        self.connection.shutdown(socket.SHUT_WR)
        while self.connection.recv(65_536):
            pass

    def reset(self) -> None:
        """Cut the line with a reset instead of an orderly end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


@dataclass
class FaultyServer:
    """Treats every connection with one fault. ``heads`` are those of the requests that it read whole."""

    fault: Callable[[Visit], None]
    heads: list[bytes] = field(default_factory=list)
    visits: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    port: int = 0

    @property
    def paths(self) -> list[str]:
        """What the requests asked for."""
        return [head.split(b" ", 2)[1].decode() for head in self.heads]

    @contextmanager
    def open(self) -> Iterator[FaultyServer]:
        """Listen on a free port of this machine, and end every connection afterwards."""
        with socket.socket() as listener:
            # Small, so that a client notices soon that nobody reads.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            listener.bind(("127.0.0.1", 0))
            listener.listen(16)
            self.port = listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
            try:
                yield self
            finally:
                self.is_over.set()
                # Closing alone would not wake the thread that accepts.
                with contextlib.suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while not self.is_over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.visits += 1
            threading.Thread(target=self._treat, args=(connection,), daemon=True).start()

    def _treat(self, connection: socket.socket) -> None:
        # A client that goes away is what these tests are about.
        with connection, contextlib.suppress(OSError):
            self.fault(Visit(connection, self))
        self._ended.release()

    def wait_for_an_end(self) -> None:
        """Wait until one more connection was closed."""
        assert self._ended.acquire(timeout=10)


@contextmanager
def dead_port() -> Iterator[int]:
    """Give a port of this machine at which nobody listens; it stays taken meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def full_port() -> Iterator[int]:
    """Give a port of this machine whose queue is full: who connects hears nothing at all."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
