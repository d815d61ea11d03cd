"""Which hosts a setting may name, and which addresses those hosts may have."""

from __future__ import annotations

import ipaddress

import pytest

from uploader.errors import ConfigurationError
from uploader.hosts import Hosts, is_loopback, plain_host
from uploader.settings import DestinationSettings

HOSTS = Hosts(own=("graph.facebook.com",), allowed=("gateway.example.com", "10.0.0.5", "2001:db8::5"))
SECTION = "destinations.meta"


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.facebook.com",
        "https://GRAPH.facebook.com:8443/prefix/v1",
        "HTTPS://graph.facebook.com",
        "https://gateway.example.com/capi",
        "https://10.0.0.5",
        "https://[2001:db8::5]:8443",
        "https://[2001:DB8:0::5]",
        "http://localhost:8765",
        "http://LOCALHOST",
        "http://127.0.0.1:8765",
        "http://127.1.2.3",
        "http://[::1]:8765",
        "https://localhost",
    ],
)
def test_these_may_be_sent_to(url: str) -> None:
    """The platform, what the settings allow, and this machine; any port."""
    HOSTS.check(url, SECTION)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://evil.example.com", r"leads to the host evil\.example\.com.*meta\.allowed_hosts"),
        ("https://graph.facebook.com.evil.example", r"the platform's own is graph\.facebook\.com"),
        ("https://evil-graph.facebook.com", "leads to the host"),
        ("https://10.0.0.6", "leads to the host 10.0.0.6"),
        ("http://graph.facebook.com", "must begin with https://"),
        ("http://gateway.example.com", "must begin with https://"),
        ("https://2130706433", "must be the name of a host"),
        ("https://user:pw@graph.facebook.com", "plain https:// address"),
        ("https://graph.facebook.com:70000", "plain https:// address"),
    ],
)
def test_others_may_not(url: str, told: str) -> None:
    """The error names the setting, the host, and what to do; never what may be a password."""
    with pytest.raises(ConfigurationError, match=told) as caught:
        HOSTS.check(url, SECTION)
    assert "destinations.meta.base_url" in str(caught.value)
    assert "pw" not in str(caught.value)


def test_without_any_host_only_this_machine_is_left() -> None:
    """What nobody allowed is not allowed."""
    Hosts().check("http://127.0.0.1:1", SECTION)
    with pytest.raises(ConfigurationError):
        Hosts().check("https://graph.facebook.com", SECTION)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:80", True),
        ("http://[::1]", True),
        ("http://localhost", True),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("https://10.0.0.1", False),
        ("http://127.1", False),
        ("http://[::ffff:127.0.0.1]", False),
        ("http://0.0.0.0", False),
        ("ftp://127.0.0.1", False),
    ],
)
def test_this_machine_is_recognized(url: str, expected: bool) -> None:
    """Loopback is an address, not a text that looks like one."""
    assert is_loopback(url) is expected


PUBLIC = ("157.240.1.35", "2a03:2880:f10e:83:face:b00c:0:25de", "64:ff9b::9df0:123")
PRIVATE = ("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00:ec2::254", "::ffff:10.0.0.1", "64:ff9b::a00:1")
LOOPBACK = ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")
NOBODY = ("169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe")
NOBODY += ("0.0.0.0", "::", "224.0.0.1", "ff02::1")  # noqa: S104 - to be refused


@pytest.mark.parametrize(
    ("host", "permitted"),
    [
        ("graph.facebook.com", PUBLIC),
        ("GRAPH.facebook.com", PUBLIC),
        ("gateway.example.com", PUBLIC + PRIVATE + LOOPBACK),
        ("localhost", LOOPBACK),
        ("127.0.0.1", LOOPBACK),
        ("[::1]", LOOPBACK),
        ("evil.example.com", ()),
    ],
)
def test_addresses_are_judged_by_the_host_they_stand_for(host: str, permitted: tuple[str, ...]) -> None:
    """A platform is public, a gateway may be private, link-local is nobody, and an unknown host is nowhere."""
    addresses = PUBLIC + PRIVATE + LOOPBACK + NOBODY
    assert tuple(address for address in addresses if HOSTS.refusal(host, address) is None) == permitted


def test_the_users_word_counts_more_than_the_platforms() -> None:
    """Where a network answers with addresses of its own, its owner can allow the platform's host."""
    hosts = Hosts(own=("graph.facebook.com",), allowed=("graph.facebook.com",))
    assert hosts.refusal("graph.facebook.com", "198.18.0.7") is None


@pytest.mark.parametrize("host", ["gateway.example.com", "x", "GW_1.Example.COM", "10.0.0.5", "::1", "[2001:db8::1]"])
def test_plain_hosts_are_taken(host: str) -> None:
    """Names and addresses, written small."""
    assert plain_host(host) == host.lower().strip("[]")


@pytest.mark.parametrize(
    "host",
    [
        *("", "a b", "a\n", "a" * 64),
        *[".", "a..b", "-a.b", "a-.b", "a.b.", "*.example.com", "a/b", "a:80", "ü.example", "https://a.b", "user@a.b"],
        *["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "1.2.3.4.5", "::ffff:10.0.0.1", "fe80::1%eth0"],
        *["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1"],  # noqa: S104 - to be refused
    ],
)
def test_anything_else_is_no_host(host: str) -> None:
    """Neither for a person, nor for the libraries that might read it in another way."""
    with pytest.raises(ValueError, match="must"):
        plain_host(host)


def test_settings_take_a_list_or_a_line() -> None:
    """TOML has lists; a variable of the environment names several with commas."""
    told = {"allowed_hosts": "GW.example.com, 10.0.0.5,"}
    assert DestinationSettings.model_validate(told).allowed_hosts == ["gw.example.com", "10.0.0.5"]
    assert DestinationSettings(allowed_hosts=["gw.example.com"]).allowed_hosts == ["gw.example.com"]
    with pytest.raises(ValueError, match="link-local"):
        DestinationSettings(allowed_hosts=["169.254.169.254"])


def test_the_addresses_of_these_tests_are_what_they_say() -> None:
    """The standard library agrees, where it has a word for it."""
    assert all(ipaddress.ip_address(address).is_global for address in PUBLIC[:2])
    assert all(not ipaddress.ip_address(address).is_global for address in PRIVATE[:5] + LOOPBACK[:3])
