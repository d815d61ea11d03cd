"""Open a connection: look the host up, check where it leads, connect; all of it within one time.

The libraries' own way has no limit for the look-up, one limit for each address, and no check of the address.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from uploader.hosts import Hosts

_LEAST_S: Final = 0.001
"""A socket's timeout of zero would mean: do not wait at all, and fail."""


class Resolve(Protocol):
    """Look a host's addresses up, as `socket.getaddrinfo` does."""

    def __call__(self, host: str, port: int, *, type: socket.SocketKind) -> list[Any]:  # noqa: A002 - its own name
        """Return the addresses, or raise `OSError`."""


class WrongAddress(OSError):
    """The host leads to addresses that must not be sent to; the text names them."""


def dial(host: str, port: int, hosts: Hosts, seconds: float, resolve: Resolve) -> socket.socket:
    """Connect to the first address of ``host`` that answers and may be sent to, or raise `OSError`.

    The socket's timeout is what is left of ``seconds``: a handshake may use it up.
    """
    ends_at = time.monotonic() + seconds
    found = _look_up(host, port, seconds, resolve)
    refusals = {way[-1][0]: hosts.refusal(host, way[-1][0]) for way in found}
    ways = [way for way in found if refusals[way[-1][0]] is None]
    told = ", ".join(f"{address} ({refusal})" for address, refusal in refusals.items())
    problem: OSError = WrongAddress(f"{host} leads to {told or 'no address'}")
    for position, way in enumerate(ways):
        # One address that swallows everything must leave time for the others.
        share = (ends_at - time.monotonic()) / (len(ways) - position)
        try:
            line = _connect(way, share)
        except OSError as error:
            problem = error
        else:
            line.settimeout(max(ends_at - time.monotonic(), _LEAST_S))
            return line
    raise problem


def _connect(way: Any, seconds: float) -> socket.socket:
    family, kind, protocol, _, where = way
    line = socket.socket(family, kind, protocol)
    try:
        # Without waiting to fill packets: the head and the body of a request are written one after the other.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.settimeout(max(seconds, _LEAST_S))
        line.connect(where)
    except OSError:
        line.close()
        raise
    return line


def _look_up(host: str, port: int, seconds: float, resolve: Resolve) -> list[Any]:
    """Ask in a thread of its own: nothing else can end a look-up that waits for a dead name server."""
    answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port, type=socket.SOCK_STREAM))
        except OSError as problem:
            answers.put(problem)
        except UnicodeError:
            answers.put(socket.gaierror(socket.EAI_NONAME, "no name that can be looked up"))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answered in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def client_context() -> ssl.SSLContext:
    """Return how TLS is spoken: certificate and host name are checked, nothing older than 1.2.

    Not the libraries' own contexts: those write every key to the file that SSLKEYLOGFILE names.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def why(problem: BaseException) -> str:
    """Say why no connection could be made, for people; nothing of a request is in it."""
    if isinstance(problem, WrongAddress):
        return str(problem)
    if isinstance(problem, socket.gaierror):
        return "the host's name could not be looked up"
    if isinstance(problem, TimeoutError):
        return "nobody answered in time"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted: {problem.verify_message}"
    if isinstance(problem, ssl.SSLError):
        return f"no encrypted connection: {problem.reason or type(problem).__name__}"
    return getattr(problem, "strerror", None) or type(problem).__name__
