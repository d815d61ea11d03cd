"""HTTP: the only place with a socket.

No redirect is followed (a 302 would turn the POST into a GET that ends in 200), no proxy, netrc or
certificate setting of the environment is believed, and a watchdog ends a request that drips.
Sources: requests' documentation, read 2026-11-21; behaviour measured.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from uploader.errors import ConfigurationError, UploaderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_ANSWER_BYTES: Final = 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024
_MAX_IDLE_S: Final = 50.0
"""A connection idle for longer is not used again: the platform may have closed it, and the answer is lost."""


class NotSent(UploaderError):
    """No byte of the request left: the platform has nothing of it."""


class InDoubt(UploaderError):
    """The request may have arrived; no whole answer came back."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, between two bytes of the answer, and for the whole request."""

    connect: float
    read: float
    total: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names are in lower case, the body is cut at 1 MiB."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str, setting: str) -> None:
    """Raise unless ``url`` may be sent to: https, or http to this machine; no user, query or fragment."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{setting} is not a URL. Write it like https://graph.example.com.") from None
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(f"{setting} must be a plain https:// address without user, query or fragment.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise ConfigurationError(f"{setting} must begin with https:// (http:// is accepted for this machine only).")


class _Sockets:
    """The connection of one session: whether it stands, and a way for a watchdog to end a blocked read."""

    def __init__(self) -> None:
        self._connection: Any = None
        self.is_connected = False
        """Whether bytes of a request may have left: a connection stands, new or kept alive."""
        self._is_too_late = False

    def begin(self) -> None:
        """Begin a request."""
        self._is_too_late = False

    @contextlib.contextmanager
    def dialling(self, connection: Any) -> Iterator[None]:
        """Connect; TLS included. Until that is done, nothing of a request can have left."""
        self._connection, self.is_connected = connection, False
        yield
        if self._is_too_late:
            raise TimeoutError
        self.is_connected = True

    def forget(self) -> None:
        """Forget a closed connection."""
        self._connection, self.is_connected = None, False

    def shut_down(self) -> None:
        """End whatever the connection is waiting for."""
        self._is_too_late = True
        sock = getattr(self._connection, "sock", None)
        if sock is not None:
            # Closing the session would not wake the reader; shutting the socket down does.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """requests' adapter with connections that tell `_Sockets` of themselves."""

    def __init__(self, sockets: _Sockets) -> None:
        self._sockets = sockets
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        sockets = self._sockets

        class Plain(HTTPConnection):
            def connect(self) -> None:
                with sockets.dialling(self):
                    super().connect()

        class Encrypted(HTTPSConnection):
            def connect(self) -> None:
                with sockets.dialling(self):
                    super().connect()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}


class Transport:
    """One destination's HTTP session."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._sockets = _Sockets()
        self._session: requests.Session | None = None
        self._used_at = 0.0

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None
            self._sockets.forget()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST once. Raises `NotSent` or `InDoubt`; their texts hold neither headers, body nor URL."""
        session = self._fresh_session()
        # A header with a line break would make requests raise an error that shows the value.
        if any("\n" in value or "\r" in value for value in headers.values()):
            raise ConfigurationError("The token contains a line break. Set its environment variable again, without it.")
        self._sockets.begin()
        watchdog = threading.Timer(self._timeouts.total, self._sockets.shut_down)
        watchdog.daemon = True
        watchdog.start()
        try:
            return self._exchange(session, url, body, headers)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError):
            may_have_left = self._sockets.is_connected
            self.close()
            if may_have_left:
                raise InDoubt("the connection broke, or the time ran out, before the whole answer came") from None
            raise NotSent("no connection could be made") from None
        finally:
            watchdog.cancel()
            self._used_at = time.monotonic()

    def _exchange(self, session: requests.Session, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        timeout = (self._timeouts.connect, self._timeouts.read)
        with session.post(
            url, data=body, headers=dict(headers), timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            # Not decoded: no compression was asked for, and a compressed body could burst the memory.
            content = b""
            while piece := response.raw.read(_PIECE_BYTES, decode_content=False):
                content += piece
                if len(content) > _MAX_ANSWER_BYTES:
                    self.close()
                    content = b""
                    break
            return Answer(response.status_code, content, {k.lower(): v for k, v in response.headers.items()})

    def _fresh_session(self) -> requests.Session:
        if self._session is not None and time.monotonic() - self._used_at > _MAX_IDLE_S:
            self.close()
        if self._session is None:
            self._session = requests.Session()
            self._session.trust_env = False
            self._session.headers.update({"Accept-Encoding": "identity", "User-Agent": "warehouse-capi"})
            for scheme in ("https://", "http://"):
                self._session.mount(scheme, _Adapter(self._sockets))
        return self._session
