"""HTTP: one POST at a time, and whether it may have arrived.

No redirect is followed (a 302 would turn the POST into a GET that ends in 200), no proxy, netrc, cookie,
certificate or key log setting of the environment is believed, and a watchdog ends a request that drips.
Sources: requests' and urllib3's documentation, read 2026-11-21; behaviour measured.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import re
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from uploader.answers import Answer, InDoubt, NotSent
from uploader.dialling import Resolve, client_context, dial, why
from uploader.errors import ConfigurationError
from uploader.hosts import Hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MAX_ANSWER_BYTES: Final = 1024 * 1024
_MAX_WIRE_BYTES: Final = 2 * _MAX_ANSWER_BYTES
"""With head, framing and interim answers; the libraries have no limit for some of them."""
_PIECE_BYTES: Final = 64 * 1024
_MAX_IDLE_S: Final = 50.0
"""A connection idle for longer is not used again: the platform may have closed it, and the answer is lost."""
_HEADER_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, between two bytes of the answer, and for the whole request."""

    connect: float
    read: float
    total: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What a transport uses of this machine; ``ca_file`` None: the certificate authorities of certifi."""

    resolve: Resolve = socket.getaddrinfo
    ca_file: str | None = None
    monotonic: Callable[[], float] = time.monotonic


class _Line:
    """The connection of one transport: whether it stands, and a way for a watchdog to end a blocked read."""

    def __init__(self, timeouts: Timeouts, hosts: Hosts, resolve: Resolve) -> None:
        self._timeouts, self._hosts, self._resolve = timeouts, hosts, resolve
        self._socket: socket.socket | None = None
        self.is_connected = False
        """Whether bytes of a request may have left: a connection stands, new or kept alive."""
        self.is_too_late = False
        self.trouble = ""
        """Why no connection could be made."""

    def begin(self) -> None:
        """Begin a request."""
        self.is_too_late, self.trouble = False, ""

    def dial(self, host: str, port: int) -> socket.socket:
        """Open a connection."""
        seconds = min(self._timeouts.connect, self._timeouts.total)
        return dial(host, port, self._hosts, seconds, self._resolve)

    @contextlib.contextmanager
    def dialling(self, connection: HTTPConnection) -> Iterator[None]:
        """Connect; TLS included. Until that is done, nothing of a request can have left."""
        self.is_connected = False
        try:
            yield
        except Exception as error:
            self.trouble = why(error)
            raise
        # The connection forgets its socket while an answer is still read from it; the watchdog must not.
        self._socket = connection.sock
        if self.is_too_late:
            self.trouble = "the time ran out"
            raise TimeoutError
        self._socket.settimeout(self._timeouts.read)
        self.is_connected = True

    def forget(self) -> None:
        """Forget a closed connection."""
        self._socket, self.is_connected = None, False

    def shut_down(self) -> None:
        """End whatever the connection is waiting for: closing it would not wake the reader."""
        self.is_too_late = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket's own method: for a moment it would let the writer go on without encryption.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Capped(io.RawIOBase):
    """Bytes from the wire, up to a limit."""

    def __init__(self, raw: Any) -> None:
        self._raw, self._left = raw, _MAX_WIRE_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        read: int | None = self._raw.readinto(buffer)
        self._left -= read or 0
        if self._left < 0:
            raise OSError("the answer is longer than any that is read")
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _CappedResponse(http.client.HTTPResponse):
    """The standard library's reader of answers, without its endless lists of headers, trailers and chunks."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp: Any = io.BufferedReader(_Capped(self.fp.detach()))


class _Adapter(HTTPAdapter):
    """requests' adapter with connections that are made by a `_Line`."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=client_context())
        line = self._line

        class Dialled(HTTPConnection):
            response_class = _CappedResponse

            def _new_conn(self) -> socket.socket:
                # With the dot that a name may end in, which `host` leaves out.
                return line.dial(self._dns_host, self.port)

        class Plain(Dialled):
            def connect(self) -> None:
                with line.dialling(self):
                    super().connect()

        class Encrypted(Dialled, HTTPSConnection):
            def connect(self) -> None:
                with line.dialling(self):
                    super().connect()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}


class Transport:
    """One destination's connection, for one thread. Without ``hosts`` it speaks to this machine only."""

    def __init__(self, timeouts: Timeouts, hosts: Hosts | None = None, machine: Machine | None = None) -> None:
        self._timeouts = timeouts
        self._machine = machine or Machine()
        self._line = _Line(timeouts, hosts or Hosts(), self._machine.resolve)
        self._adapter = _Adapter(self._line)
        self._used_at = self._machine.monotonic()

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        self._adapter.close()
        self._line.forget()

    def give_up(self) -> None:
        """End the request in flight, from another thread or a signal: it stays in doubt."""
        self._line.shut_down()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST once. Raises `NotSent` or `InDoubt`; their texts hold neither headers, body nor URL."""
        return self._send("POST", url, body, headers)

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """GET once; raises as `post` does."""
        return self._send("GET", url, b"", headers)

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if not all(_HEADER_VALUE.fullmatch(value) for value in headers.values()):
            raise ConfigurationError("A header, or the token, holds a sign that no header may have: set it again.")
        if self._machine.monotonic() - self._used_at > _MAX_IDLE_S:
            self.close()
        self._line.begin()
        watchdog = threading.Timer(self._timeouts.total, self._line.shut_down)
        watchdog.daemon = True
        watchdog.start()
        try:
            answer = self._exchange(method, url, body, headers)
        except Exception as error:  # noqa: BLE001 - of whatever kind: what may have arrived stays in doubt
            raise self._failure(error) from None
        finally:
            watchdog.cancel()
            self._used_at = self._machine.monotonic()
        if answer.status != 200:
            # Nothing that such an answer left behind must be read as the answer to another request.
            self.close()
        return answer

    def _failure(self, error: Exception) -> NotSent | InDoubt:
        may_have_left, trouble = self._line.is_connected, self._line.trouble
        self.close()
        if may_have_left:
            return InDoubt("the connection broke, or the time ran out, before the whole answer came")
        return NotSent(f"no connection could be made: {trouble or type(error).__name__}")

    def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        # The adapter without a session: no redirects, cookies, netrc or proxies to be switched off.
        sent = {"Accept-Encoding": "identity", "User-Agent": "warehouse-capi"} | dict(headers)
        request = requests.Request(method, url, headers=sent, data=body).prepare()
        # How long to connect is the line's affair.
        timeout, verify = self._timeouts.read, self._machine.ca_file or True
        with self._adapter.send(request, stream=True, timeout=timeout, verify=verify, proxies={}) as response:
            # Not decoded: no compression was asked for, and a compressed body could burst the memory.
            content = b""
            while piece := response.raw.read(_PIECE_BYTES, decode_content=False):
                content += piece
                if len(content) > _MAX_ANSWER_BYTES:
                    self.close()
                    content = b""
                    break
            if self._line.is_too_late or response.status_code < 200:
                raise TimeoutError
            return Answer(response.status_code, content, {k.lower(): v for k, v in response.headers.items()})
