"""HTTP: nothing is followed, nothing is believed, nothing leaks, and it ends in time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trustme

from uploader.errors import ConfigurationError
from uploader.transport import InDoubt, NotSent, Timeouts, Transport, check_url, is_loopback

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TOKEN = "canary-token-0123456789"


@contextmanager
def serving(behaviour: Callable[[socket.socket], None]) -> Iterator[str]:
    """Answer each connection with a function, on a free port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def loop() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                behaviour(connection)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v26.0/42/events"
    finally:
        done.set()
        listener.close()


def post(url: str, total: float = 5, read: float = 5) -> object:
    """POST once."""
    transport = Transport(Timeouts(1, read, total))
    try:
        return transport.post(url, b"{}", {"Authorization": f"Bearer {TOKEN}"})
    finally:
        transport.close()


def test_an_answer_comes_back() -> None:
    """Status, body, and header names in lower case."""
    with serving(lambda connection: connection.sendall(OK)) as url:
        answer = post(url)
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"{}", "2")


def test_no_connection_means_not_sent() -> None:
    """A refused connection leaves nothing in doubt."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent):
        post(f"http://127.0.0.1:{port}/events")


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz",
    ],
    ids=["closed", "cut", "nonsense", "bad chunk"],
)
def test_a_broken_answer_is_in_doubt(reply: bytes) -> None:
    """Bytes were sent, so the events may have arrived."""
    with serving(lambda connection: connection.sendall(reply)) as url, pytest.raises(InDoubt):
        post(url)


def test_a_silent_server_is_given_up() -> None:
    """No answer within the read timeout is in doubt."""
    release = threading.Event()
    with serving(lambda connection: release.wait(5) and None) as url, pytest.raises(InDoubt):
        post(url, read=0.2)
    release.set()


def test_a_dripping_answer_ends_at_the_total_timeout() -> None:
    """Each byte comes in time, the whole does not: the watchdog ends it."""
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not stop.wait(0.05):
            try:
                connection.sendall(b"x")
            except OSError:
                return

    begun = time.monotonic()
    with serving(drip) as url, pytest.raises(InDoubt):
        post(url, total=0.5)
    stop.set()
    assert time.monotonic() - begun < 5


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    """A 302 comes back as 302; its target gets no request."""
    reply = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    seen: list[int] = []
    with serving(lambda connection: (seen.append(1), connection.sendall(reply))) as url:
        assert (post(url).status, len(seen)) == (302, 1)


def test_an_enormous_answer_is_not_kept() -> None:
    """More than a mebibyte is no answer that we read."""

    def flood(connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 50_000_000)
        except OSError:
            return

    with serving(flood) as url:
        assert post(url).body == b""


def test_proxy_settings_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile proxy variable changes nothing."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with serving(lambda connection: connection.sendall(OK)) as url:
        assert post(url).status == 200


def test_no_error_shows_the_token() -> None:
    """Neither a failed request nor an unusable header tells the secret."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent) as failed:
        post(f"http://127.0.0.1:{port}/events")
    with pytest.raises(ConfigurationError) as unusable:
        Transport(Timeouts(1, 1, 1)).post("http://127.0.0.1:1/", b"", {"Authorization": f"Bearer {TOKEN}\n"})
    assert TOKEN not in repr(failed.value) + repr(unusable.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.example.com",
        "ftp://127.0.0.1",
        "https://user:pw@example.com",
        "https://example.com/?a=1",
        "file:///etc/passwd",
        "https://",
        "http://169.254.169.254",
        "nonsense",
    ],
)
def test_only_https_or_this_machine_may_be_sent_to(url: str) -> None:
    """Anything else is a configuration error that names the setting."""
    with pytest.raises(ConfigurationError, match=r"destinations\.meta\.base_url"):
        check_url(url, "destinations.meta.base_url")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:80", True),
        ("http://[::1]", True),
        ("http://localhost", True),
        ("http://127.0.0.1.example.com", False),
        ("https://10.0.0.1", False),
    ],
)
def test_this_machine_is_recognized(url: str, expected: bool) -> None:
    """Loopback is an address, not a text that looks like one."""
    assert is_loopback(url) is expected


def test_an_unknown_certificate_gets_not_a_byte() -> None:
    """The handshake fails before the request leaves: nothing is in doubt, and no payload arrives."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    arrived: list[bytes] = []

    def shake_hands(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
            arrived.append(wrapped.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=shake_hands, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(NotSent):
            post(f"https://localhost:{listener.getsockname()[1]}/events")
        thread.join(5)
    assert [piece for piece in arrived if piece] == []


def test_an_answer_that_is_no_http_is_in_doubt_on_a_kept_connection() -> None:
    """A connection that stands from the request before may have carried the next one."""
    replies = [OK, b""]

    def reply(connection: socket.socket) -> None:
        connection.sendall(replies.pop(0))
        connection.recv(65536)

    with serving(reply) as url:
        transport = Transport(Timeouts(1, 5, 5))
        assert transport.post(url, b"{}", {}).status == 200
        with pytest.raises(InDoubt):
            transport.post(url, b"{}", {})
        transport.close()
