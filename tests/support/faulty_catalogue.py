"""What can go wrong between a request and its answer, and what each fault proves about the events."""

from __future__ import annotations

import json
import socket
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.support.faulty_server import PIECE, Visit

NOT_SENT, IN_DOUBT, ACCEPTED = "not_sent", "in_doubt", "accepted"
SUCCESS = json.dumps({"events_received": 1, "messages": [], "fbtrace_id": "Atrace"}).encode()
REFUSAL = json.dumps({"error": {"message": "m", "code": 100, "error_subcode": 2804003}}).encode()
MIB = 2**20


@cache
def bomb(inflated: int) -> bytes:
    """Return a gzip file that inflates to so many zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(inflated // MIB)) + packer.flush()


def reply(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """Write an answer of HTTP/1.1."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answering(*pieces: bytes) -> Callable[[Visit], None]:
    """Read the request, then send these bytes and close."""

    def fault(visit: Visit) -> None:
        visit.request()
        visit.say(*pieces)

    return fault


def dripping(head: bytes) -> Callable[[Visit], None]:
    """Read the request, send a head, and then a byte from time to time for ever."""

    def fault(visit: Visit) -> None:
        visit.request()
        visit.say(head)
        visit.drip(b" ")

    return fault


def flooding(head: bytes, piece: bytes, total: int) -> Callable[[Visit], None]:
    """Read the request, send a head, and then one piece until so many bytes were sent."""

    def fault(visit: Visit) -> None:
        visit.request()
        visit.say(head)
        visit.flood(piece, total)

    return fault


def reset_before(visit: Visit) -> None:
    """Cut the line when the request comes, before anything of it was read."""
    # Not sooner: a line that is cut while it is made was never one.
    visit.connection.recv(1, socket.MSG_PEEK)
    visit.reset()


def reset_after(visit: Visit) -> None:
    """Cut the line after the whole request."""
    visit.request()
    visit.reset()


def half_close(visit: Visit) -> None:
    """Close the way back only."""
    visit.request()
    visit.end()


def never_reads(visit: Visit) -> None:
    """Leave the request where it is."""
    visit.hang()


def silent(visit: Visit) -> None:
    """Read the request, and say nothing."""
    visit.request()
    visit.hang()


def early(visit: Visit) -> None:
    """Answer before the request was read."""
    visit.say(reply(b"", "413 Too Large", "Connection: close"))
    visit.end()


def tls_alert(visit: Visit) -> None:
    """Refuse the handshake as TLS does (RFC 8446, 6.2: handshake_failure)."""
    visit.connection.recv(65_536)
    visit.say(b"\x15\x03\x03\x00\x02\x02\x28")
    visit.end()


def plain_for_tls(visit: Visit) -> None:
    """Speak HTTP where TLS is expected."""
    visit.connection.recv(65_536)
    visit.say(reply(SUCCESS))


def closed_while_idle(visit: Visit) -> None:
    """Answer once, promise to stay, and close."""
    visit.request()
    visit.say(reply(SUCCESS, "200 OK", "Connection: keep-alive"))


def reset_when_used_again(visit: Visit) -> None:
    """Answer once; cut the line when a second request comes."""
    visit.request()
    visit.say(reply(SUCCESS, "200 OK", "Connection: keep-alive"))
    visit.request()
    visit.reset()


def nobody(*_: Any, **__: Any) -> list[Any]:
    """Look a name up that does not exist."""
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def only_ipv6(_host: str, port: int, **_: Any) -> list[Any]:
    """Look a name up that has an IPv6 address alone; nobody listens there."""
    return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))]


@dataclass(frozen=True)
class Fault:
    """One fault and its verdict.

    ``rounds`` requests are made, and the last one counts; ``body`` is its size. ``lasts``: until it is given up.
    ``closes``: the server ends each connection after an answer, before the next request is made.
    """

    name: str
    verdict: str
    act: Callable[[Visit], None]
    scheme: str = "http"
    rounds: int = 1
    body: int = 2
    lasts: bool = False
    closes: bool = False


def answers() -> Iterator[Fault]:
    """Whole answers, of which the platform's own reader must make sense."""
    sorry = b"<!doctype html><title>Sorry</title>"
    yield Fault("HTML with 200", IN_DOUBT, answering(reply(sorry)))
    yield Fault("empty 200", IN_DOUBT, answering(reply(b"")))
    yield Fault("204", IN_DOUBT, answering(b"HTTP/1.1 204 No Content\r\n\r\n"))
    yield Fault("a body that is no UTF-8", "refused", answering(reply(b'{"error":{"message":"\xff"}}', "400 Bad")))
    yield Fault("heads that are no UTF-8", ACCEPTED, answering(reply(SUCCESS, "200 \xff\xfe", "X-\xe9: \xff")))
    yield Fault("HTTP/1.0", ACCEPTED, answering(b"HTTP/1.0 200 OK\r\n\r\n" + SUCCESS))
    yield Fault("100 Continue", ACCEPTED, answering(b"HTTP/1.1 100 Continue\r\n\r\n" + reply(SUCCESS)))
    yield Fault("an answer before the request", "too_big", early)
    yield Fault("a length that is too short", IN_DOUBT, answering(reply(SUCCESS, length=5)))
    yield Fault("the line closed while idle", ACCEPTED, closed_while_idle, rounds=2, closes=True)
    for status in (301, 302, 303, 307, 308):
        there = f"{status} Elsewhere", "Location: /elsewhere"
        yield Fault(f"redirect {status}", IN_DOUBT, answering(reply(SUCCESS, *there)))
    yield Fault("redirect to nonsense", IN_DOUBT, answering(reply(b"", "302 Found", "Location: http://[::1")))


def lines() -> Iterator[Fault]:
    """Lines that break, before or after something was sent."""
    yield Fault("reset before the request", IN_DOUBT, reset_before)
    yield Fault("reset after the request", IN_DOUBT, reset_after)
    yield Fault("half closed", IN_DOUBT, half_close)
    yield Fault("silence", IN_DOUBT, silent, lasts=True)
    yield Fault("nobody reads the request", IN_DOUBT, never_reads, body=16 * MIB, lasts=True)
    yield Fault("reset of a line used again", IN_DOUBT, reset_when_used_again, rounds=2)
    closing = reply(b"", "200 OK", "Connection: close", length=9999)
    yield Fault("dripping body", IN_DOUBT, dripping(reply(b"", length=9999)), lasts=True)
    yield Fault("dripping body of a last answer", IN_DOUBT, dripping(closing), lasts=True)
    yield Fault("dripping body without a length", IN_DOUBT, dripping(b"HTTP/1.0 200 OK\r\n\r\n" + SUCCESS), lasts=True)
    yield Fault("dripping head", IN_DOUBT, dripping(b"HTTP/1.1 200 OK\r\nX-Long: "), lasts=True)
    yield Fault("a handshake refused", NOT_SENT, tls_alert, scheme="https")
    yield Fault("no TLS where TLS is expected", NOT_SENT, plain_for_tls, scheme="https")
    yield Fault("a handshake without an answer", NOT_SENT, never_reads, scheme="https", lasts=True)


def framing() -> Iterator[Fault]:
    """Answers whose beginning or end cannot be trusted."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield Fault("closed without an answer", IN_DOUBT, answering(b""))
    yield Fault("no HTTP at all", IN_DOUBT, answering(b"nonsense\r\n\r\n"))
    yield Fault("body cut off", IN_DOUBT, answering(reply(SUCCESS[:9], length=len(SUCCESS))))
    yield Fault("two lengths", IN_DOUBT, answering(reply(SUCCESS, "200 OK", "Content-Length: 7")))
    yield Fault("junk for a chunk", IN_DOUBT, answering(chunked + b"zz\r\n"))
    yield Fault("a chunk cut off", IN_DOUBT, answering(chunked + b"ff\r\n" + SUCCESS))
    yield Fault("only an early hint", IN_DOUBT, answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" + reply(SUCCESS)))


def floods() -> Iterator[Fault]:
    """Answers that try to fill the memory."""
    head, chunked = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    squeezed = "200 OK", "Content-Encoding: gzip"
    away = "302 Found", "Content-Encoding: gzip", "Location: /elsewhere"
    packed = bomb(300 * MIB)
    yield Fault("gzip bomb", IN_DOUBT, answering(reply(packed, *squeezed)))
    yield Fault("gzip bomb on a redirect", IN_DOUBT, answering(reply(packed, *away)))
    yield Fault("50 MB error", IN_DOUBT, flooding(reply(b"", "500 Error", length=50 * MIB), PIECE, 50 * MIB))
    yield Fault("50 MB refusal", "refused", flooding(reply(b"", "400 Bad", length=50 * MIB), PIECE, 50 * MIB))
    yield Fault("endless chunk", IN_DOUBT, flooding(chunked + b"-1\r\n", PIECE, 300 * MIB))
    yield Fault("endless trailer", IN_DOUBT, flooding(chunked + b"0\r\n", b"X: y\r\n" * 9999, 300 * MIB))
    yield Fault("endless 100 Continue", IN_DOUBT, flooding(b"", b"HTTP/1.1 100 C\r\n\r\n" * 999, 300 * MIB))
    yield Fault("flood of headers", IN_DOUBT, flooding(head, b"X: y\r\n" * 9999, 50 * MIB))
    yield Fault("one endless header", IN_DOUBT, flooding(head + b"X: ", PIECE, 300 * MIB))
    deep = b"[" * 10**6
    yield Fault("JSON a million deep", IN_DOUBT, answering(reply(deep)))
    yield Fault(
        "an integer of a million digits", IN_DOUBT, answering(reply(b'{"events_received":' + b"9" * 10**6 + b"}"))
    )


def all_faults() -> list[Fault]:
    """Return every fault that a server can show."""
    return [*answers(), *lines(), *framing(), *floods()]
