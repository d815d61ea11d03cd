"""Where a request may go: which hosts a setting may name, and which addresses those hosts may have.

A wrong setting, or a name server that lies, must not carry events and a token to somebody else. Ports are
part of no rule.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from uploader.errors import ConfigurationError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# Stricter than the standards on purpose: an address that two readers could understand differently is none.
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f.:]*:[0-9a-f.:]*\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?:/[\w.~%+,=:-]*)*",
    re.IGNORECASE | re.ASCII,
)
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
# Programs read 2130706433, 0x7f.1 and 127.1 as IPv4 addresses, each in its own way.
_NUMBER_LAST: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def plain_host(text: str) -> str:
    """Return a host in lower case; raise `ValueError` unless it is a name, or an address in its usual form."""
    host = _bare(text)
    address = _address(host)
    if address is None and (not _NAME.fullmatch(host) or _NUMBER_LAST.fullmatch(host)):
        raise ValueError("must be the name of a host, like gateway.example.com, or an IP address")
    if address is not None and _meant(address) != address:
        raise ValueError("must be written as the IPv4 address that it means")
    if address is not None and _is_nobody(address):
        raise ValueError("must not be a link-local, multicast or unspecified address")
    return host


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine."""
    parts = _URL.fullmatch(url)
    return parts is not None and _is_this_machine(_bare(parts["host"]))


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of one destination: the platform's ``own``, and the user's, that the settings allow.

    This machine is always among them; without any other, it is the only one.
    """

    own: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    def check(self, url: str, section: str) -> None:
        """Raise unless ``section``'s ``base_url`` may be sent to: https to a host of these, or http to this machine."""
        setting = f"{section}.base_url"
        parts = _URL.fullmatch(url)
        if parts is None or int(parts["port"] or 0) > 65_535:
            raise ConfigurationError(
                f"{setting} must be a plain https:// address of host and path, like https://graph.example.com: "
                "no user, query, fragment or unusual sign."
            )
        try:
            host = plain_host(parts["host"])
        except ValueError as problem:
            raise ConfigurationError(f"{setting}: its host {problem}.") from None
        if _is_this_machine(host):
            return
        if parts["scheme"].lower() != "https":
            raise ConfigurationError(f"{setting} must begin with https:// (http:// is accepted for this machine only).")
        if host not in (*self.own, *self.allowed):
            raise ConfigurationError(
                f"{setting} leads to the host {host}; the platform's own is {' or '.join(self.own) or 'unknown'}. "
                f"Correct {setting}, or add the host to {section}.allowed_hosts if it is a gateway of yours."
            )

    def refusal(self, host: str, address: str) -> str | None:
        """Say why this address of a host must not be connected to; None when it may."""
        bare = _bare(host)
        meant = _meant(ipaddress.ip_address(address))
        if _is_this_machine(bare):
            return None if meant.is_loopback else "this machine's name leads elsewhere"
        if bare in self.allowed:
            return "it is link-local, multicast or unspecified" if _is_nobody(meant) else None
        if bare in self.own:
            is_public = meant.is_global and not meant.is_multicast
            return None if is_public else "it is no public address; if your network means it, see allowed_hosts"
        return "the host is not among the allowed ones"


def _bare(host: str) -> str:
    """Write a host in one way, so that it can be compared."""
    bare = host.lower().strip("[]")
    return str(_address(bare) or bare)


def _address(host: str) -> Address | None:
    # A zone (fe80::1%eth0) names an interface of one machine: nothing to write into settings.
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None


def _meant(address: Address) -> Address:
    """Return the IPv4 address inside of an IPv6 one that stands for it."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_this_machine(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback and _meant(address) == address


def _is_nobody(address: Address) -> bool:
    # Link-local addresses are where clouds keep the credentials of a machine.
    return address.is_link_local or address.is_multicast or address.is_unspecified
