"""The sandbox's HTTP server: sockets and threads, and nothing about any platform's rules."""

from __future__ import annotations

import os
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from uploader.sandbox.wire import Answer, Call, json_answer

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.sandbox.faults import Fault

MAX_BODY_BYTES: Final = 512 * 2**20
STOP_WAIT_S: Final = 5.0


class Backend(Protocol):
    """What answers the calls that the server reads."""

    def now(self) -> datetime:
        """Return the platform's time."""

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Return the fault that this request is to meet."""

    def reply(self, call: Call, fault: Fault | None) -> Answer:
        """Answer one call."""


class Server(ThreadingHTTPServer):
    """A threading HTTP server on the loopback interface that can be stopped while requests hang."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, backend: Backend) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.backend = backend
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Remember the connection as long as its thread lives."""
        with self._changed:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._open.discard(request)
                self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client that goes away is what tests are about."""

    def stop(self) -> None:
        """Close the port and every connection, and wait for their threads."""
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                _hang_up(connection)
            self._changed.wait_for(lambda: not self._open, STOP_WAIT_S)


class _Handler(BaseHTTPRequestHandler):
    """One connection; several requests may come over it."""

    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    # One packet per answer: small writes would wait for the client's delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        """Read one request and answer it."""
        place = urlsplit(self.path)
        fault = self.server.backend.fault_for(self.command, place.path)
        if fault is not None and fault.kind == "reset_before":
            self.server.backend.reply(Call(self.command, place.path, {}, {}), fault)
            self._reset()
            return
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True
            self._send(json_answer({"error": "send Content-Length, and at most 512 MiB"}, 411))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(place.query, keep_blank_values=True))
        answer = self.server.backend.reply(Call(self.command, place.path, query, headers, body), fault)
        if answer.is_reset:
            self._reset()
        else:
            self._send(answer)

    do_GET = do_POST  # noqa: N815 - the names that the standard library calls
    do_PUT = do_POST  # noqa: N815
    do_DELETE = do_POST  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise ValueError("chunked bodies are not read")
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= MAX_BODY_BYTES:
            raise ValueError("too long")
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError
        return body

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body) + answer.missing_bytes))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
        if answer.missing_bytes:
            self.close_connection = True

    def _reset(self) -> None:
        """Cut the line with a reset instead of an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Let the Date header show the sandbox's time, not the machine's."""
        return super().date_time_string(timestamp or self.server.backend.now().timestamp())

    def log_message(self, *_: object) -> None:
        """Print nothing; the sandbox keeps its own list of requests."""


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is gone already
        return
