"""HTTP: what one request sends, what comes back of it, and what is not carried over to the next one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.support.faulty_catalogue import SUCCESS, answering, closed_while_idle, reply
from tests.support.faulty_server import FaultyServer, Visit, dead_port
from uploader.errors import ConfigurationError
from uploader.transport import Answer, InDoubt, Machine, NotSent, Timeouts, Transport

TOKEN = "canary-token-0123456789"
TIMEOUTS = Timeouts(connect=2, read=5, total=10)


def post(server: FaultyServer, transport: Transport | None = None, **headers: str) -> Answer:
    """POST once to a server."""
    own = transport or Transport(TIMEOUTS)
    try:
        return own.post(f"http://127.0.0.1:{server.port}/v26.0/42/events", b"{}", headers)
    finally:
        if transport is None:
            own.close()


@pytest.mark.parametrize("status", ["102 Processing", "103 Early Hints", "199 Soon"])
def test_an_interim_answer_is_none(status: str) -> None:
    """What comes before the answer is not taken for it, and what comes after it not for the next one."""
    fault = answering(f"HTTP/1.1 {status}\r\n\r\n".encode(), reply(SUCCESS))
    with FaultyServer(fault).open() as server, pytest.raises(InDoubt):
        post(server)


def staying(status: str, *headers: str) -> Callable[[Visit], None]:
    """Answer every request on a connection, and keep it open."""

    def fault(visit: Visit) -> None:
        while visit.request():
            visit.say(reply(SUCCESS, status, "Connection: keep-alive", *headers))

    return fault


def test_an_answer_comes_back() -> None:
    """Status, body, and header names in lower case."""
    with FaultyServer(answering(reply(b"{}", "400 Bad", "X-Name: value"))).open() as server:
        answer = post(server)
    assert (answer.status, answer.body, answer.headers["x-name"]) == (400, b"{}", "value")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Fri, 20 Nov 2026 12:00:30 GMT", datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)),
        ("Friday, 20-Nov-26 12:00:30 GMT", datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)),
        ("Fri Nov 20 12:00:30 2026", datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 14:00:30 +0200", datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 12:00:30 -0000", datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("Fri, 99 Nov 2026 12:00:30 GMT", None),
        ("1795176030", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_an_answer_tells_the_platforms_time(told: str | None, expected: datetime | None) -> None:
    """The three forms of RFC 9110, 5.6.7, and offsets, in UTC; nothing for what cannot be read."""
    date = Answer(200, b"", {} if told is None else {"date": told}).date
    assert date == expected
    assert date is None or date.tzinfo is UTC


def test_a_request_says_little_about_this_machine() -> None:
    """No version of a library, no compression, no cookie; what the caller gives goes along."""
    with FaultyServer(answering(reply(b""))).open() as server:
        post(server, None, Authorization=f"Bearer {TOKEN}")
    _, *lines = server.heads[0].split(b"\r\n")
    names = sorted(line.split(b":")[0].lower() for line in lines)
    assert names == [b"accept-encoding", b"authorization", b"content-length", b"host", b"user-agent"]
    expected = {"User-Agent: warehouse-capi", "Accept-Encoding: identity", f"Authorization: Bearer {TOKEN}"}
    assert expected <= {line.decode() for line in lines}


def test_a_cookie_is_not_kept() -> None:
    """Nothing of one answer goes along with the next request."""
    with FaultyServer(staying("200 OK", "Set-Cookie: session=1; Path=/")).open() as server:
        transport = Transport(TIMEOUTS)
        post(server, transport)
        post(server, transport)
        transport.close()
    assert [b"cookie" in head.lower() for head in server.heads] == [False, False]


@pytest.mark.parametrize(("status", "visits"), [("200 OK", 1), ("400 Bad", 2), ("302 Found", 2), ("500 Error", 2)])
def test_only_a_success_leaves_a_connection_to_be_used_again(status: str, visits: int) -> None:
    """What is left over from a refusal must not be read as the answer to the next request."""
    with FaultyServer(staying(status)).open() as server:
        transport = Transport(TIMEOUTS)
        assert [post(server, transport).body, post(server, transport).body] == [SUCCESS, SUCCESS]
        transport.close()
    assert server.visits == visits


@pytest.mark.parametrize(("idle_s", "visits"), [(49, 1), (51, 2)])
def test_an_idle_connection_is_not_used_again(idle_s: float, visits: int) -> None:
    """After 50 seconds the platform may have closed it, and a request on it would be in doubt."""
    now = [1000.0]
    with FaultyServer(staying("200 OK")).open() as server:
        transport = Transport(TIMEOUTS, machine=Machine(monotonic=lambda: now[0]))
        post(server, transport)
        now[0] += idle_s
        post(server, transport)
        transport.close()
    assert server.visits == visits


def test_a_connection_that_was_closed_meanwhile_is_replaced() -> None:
    """The next request goes over a new one, and is in no doubt."""
    with FaultyServer(closed_while_idle).open() as server:
        transport = Transport(TIMEOUTS)
        assert post(server, transport).status == 200
        server.wait_for_an_end()
        assert post(server, transport).status == 200
        transport.close()
    assert server.visits == 2


@pytest.mark.parametrize("size", [2**20, 2**20 + 1])
def test_an_answer_is_kept_up_to_a_mebibyte(size: int) -> None:
    """One byte more, and there is no body: the status alone must do."""
    with FaultyServer(answering(reply(b"x" * size))).open() as server:
        assert len(post(server).body) == (size if size == 2**20 else 0)


@pytest.mark.parametrize("sign", ["\n", "\r\nX-Evil: 1", "\x00", "\x7f", "ä", "€", " "])
def test_a_header_that_breaks_the_rules_is_not_sent(sign: str) -> None:
    """Nothing leaves, and the error does not show the value; a blank inside is fine, at the end it is not."""
    with FaultyServer(answering(reply(b""))).open() as server:
        with pytest.raises(ConfigurationError) as caught:
            post(server, None, Authorization=f"Bearer {TOKEN}{sign}")
        assert server.visits == 0
    assert TOKEN not in repr(caught.value)


def test_no_error_shows_the_token_or_the_address() -> None:
    """Neither the text of an error nor what it came from reaches a traceback."""
    with dead_port() as port, pytest.raises(NotSent) as caught:
        Transport(TIMEOUTS).post(f"http://127.0.0.1:{port}/v26.0/42", b"{}", {"Authorization": f"Bearer {TOKEN}"})
    assert caught.value.__suppress_context__
    assert "Connection refused" in str(caught.value)
    assert not any(part in repr(caught.value) for part in (TOKEN, "v26.0", "127.0.0.1"))
