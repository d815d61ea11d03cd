"""Nothing reaches a stranger: neither by a setting that names a wrong address, nor by a name server that lies."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import faulty_catalogue as catalogue
from tests.support.faulty_catalogue import SUCCESS, answering, reply
from tests.support.faulty_server import FaultyServer
from tests.support.shop import Shop, opened, orders
from uploader.delivery.targets import targets
from uploader.destinations.meta import DESTINATION
from uploader.errors import ConfigurationError
from uploader.hosts import Hosts
from uploader.settings import DestinationSettings, Settings
from uploader.transport import Machine, NotSent, Timeouts, Transport

TIMEOUTS = Timeouts(connect=10, read=10, total=20)
OWN = Hosts(own=DESTINATION.hosts)
TOKEN = "canary-token-0123456789"

ENDPOINTS = [
    # Where clouds keep credentials, and other places inside of a network.
    *("http://169.254.169.254", "https://169.254.169.254/latest/meta-data", "http://metadata.google.internal"),
    *("https://[fd00:ec2::254]", "https://100.100.100.200", "https://10.0.0.1", "https://192.168.1.1:8443"),
    *("https://172.17.0.1:2375", "https://[fe80::1]", "https://[fe80::1%25eth0]", "http://0.0.0.0", "https://0.0.0.0"),
    *("https://[::]", "https://255.255.255.255", "https://gateway", "https://intranet.example"),
    # This machine, written so that a rule might not notice.
    *("http://2130706433", "http://0x7f000001", "http://0x7f.0.0.1", "http://017700000001", "http://0177.0.0.1"),
    *(
        "http://127.1",
        "http://127.0.0.1.",
        "http://[::ffff:127.0.0.1]",
        "http://[::ffff:7f00:1]",
        "http://[0::127.0.0.1]",
    ),
    *("http://localhost.", "http://localhost.example.com", "http://127.0.0.1.example.com", "http://①②⑦.⓪.⓪.①"),
    # Another host that looks like the platform's, or hides behind it.
    *("https://graph.facebook.com.evil.example", "https://evil-graph.facebook.com", "https://graph.facebook.co"),
    *(
        "https://graph.facebook.com@evil.example",
        "https://graph.facebook.com:443@evil.example",
        "https://user:pw@graph.facebook.com",
    ),
    *(
        "https://evil.example\\@graph.facebook.com",
        "https://graph.facebook.com\\.evil.example",
        "https://evil.example#graph.facebook.com",
    ),
    *(
        "https://evil.example?graph.facebook.com",
        "https://evil.example/graph.facebook.com",
        "https://graph.facebook.com%2eevil.example",
    ),
    *(
        "https://graph.fаcebook.com",
        "https://graph。facebook。com.evil.example",
        "https://graph.facebook.com\u202e.evil",
    ),
    # Control signs and blanks.
    *("https://graph.facebook.com\r\nHost: evil.example", "https://graph.facebook.com\t.evil.example"),
    *("https://graph.facebook.com .evil.example", " https://graph.facebook.com", "https://graph.facebook.com\x00.evil"),
    # Other ways to speak, and no way at all.
    *("http://graph.facebook.com", "file:///etc/passwd", "file://localhost/etc/passwd", "ftp://graph.facebook.com"),
    *("gopher://127.0.0.1:6379/_", "unix:///var/run/docker.sock", "data:text/plain,x", "javascript:alert(1)"),
    *("//graph.facebook.com", "graph.facebook.com", "https:graph.facebook.com", "https:///graph.facebook.com"),
    *(
        "https://",
        "https://:443",
        "https://graph.facebook.com:",
        "https://graph.facebook.com:99999",
        "https://[::1",
        "https://[]",
    ),
    *(
        "https://graph.facebook.com/?access_token=x",
        "https://graph.facebook.com/#x",
        "ldap://127.0.0.1",
        "nonsense",
        "?",
    ),
]


def leading_to(port: int) -> Callable[..., list[Any]]:
    """Return a name server for which every name is this machine."""
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def test_no_setting_leads_to_a_stranger(figure: Callable[[str, str], None]) -> None:
    """The settings are refused, and the transport would not go there either, even where every name is this machine."""
    assert len(set(ENDPOINTS)) == len(ENDPOINTS) >= 40
    taken, answered = [], []
    with FaultyServer(answering(reply(SUCCESS))).open() as server:
        for endpoint in ENDPOINTS:
            meta = DestinationSettings(dataset_id="42", base_url=endpoint)
            with suppress(ConfigurationError):
                taken += targets(["meta"], Settings(destinations={"meta": meta}), {"META_ACCESS_TOKEN": TOKEN})
            transport = Transport(TIMEOUTS, OWN, Machine(resolve=leading_to(server.port)))
            with suppress(NotSent):
                answered.append(transport.post(f"{endpoint}/v26.0/42/events", b"{}", {}))
        assert (taken, answered, server.visits) == ([], [], 0)
    figure("S4", f"{len(ENDPOINTS)} endpoint values refused, {server.visits} connections")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """A shop that sold one thing."""
    with opened(tmp_path, monkeypatch, capsys) as it:
        it.sells(*orders(1))
        yield it


def test_the_command_says_what_to_do_about_a_wrong_address(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 78, with the setting and the way to allow a gateway; an allowed one is not refused for its name."""
    monkeypatch.delenv("UPLOADER_NOW")
    monkeypatch.setenv("UPLOADER__DESTINATIONS__META__BASE_URL", "https://gateway.example.com")
    code, told = shop.json("plan")
    assert (code, "gateway.example.com" in told["error"]) == (78, True)
    assert "destinations.meta.allowed_hosts" in told["error"]
    monkeypatch.setenv("UPLOADER__DESTINATIONS__META__ALLOWED_HOSTS", "gateway.example.com")
    assert shop.run("plan")[0] == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1", "0.0.0.0"])  # noqa: S104
def test_a_name_server_that_lies_is_not_believed(address: str) -> None:
    """The platform's name leads inside: nothing is sent, and the error names host and address."""
    asked = []

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port))]

    with FaultyServer(answering(reply(SUCCESS))).open() as server:
        transport = Transport(TIMEOUTS, OWN, Machine(resolve=resolve))
        with pytest.raises(NotSent, match=rf"graph\.facebook\.com leads to {re.escape(address)} \(it is no public"):
            transport.post("https://graph.facebook.com/v26.0/42/events", b"{}", {})
    # Asked once: the address that was judged is the one that is connected to.
    assert (asked, server.visits) == (["graph.facebook.com"], 0)


def test_an_address_that_must_not_be_sent_to_is_passed_over() -> None:
    """A gateway with a good and a link-local address is reached by the good one alone."""

    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port))
            for address in ("169.254.169.254", "127.0.0.1")
        ]

    with FaultyServer(catalogue.tls_alert).open() as server:
        transport = Transport(TIMEOUTS, Hosts(allowed=("gateway.example.com",)), Machine(resolve=resolve))
        with pytest.raises(NotSent, match="no encrypted connection"):
            transport.post("https://gateway.example.com", b"{}", {})
    assert server.visits == 1
