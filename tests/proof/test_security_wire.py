"""Nobody reads along or answers in the platform's place: certificates, the environment, answers that attack."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from urllib3.util.ssl_ import create_urllib3_context

from tests.support import faulty_catalogue as catalogue
from tests.support import repository as repo
from tests.support.faulty_catalogue import SUCCESS, answering, reply
from tests.support.faulty_memory import watched
from tests.support.faulty_server import FaultyServer, Visit
from uploader.destinations.interface import Response
from uploader.destinations.meta import DESTINATION
from uploader.transport import Machine, NotSent, Timeouts, Transport

TIMEOUTS = Timeouts(connect=10, read=10, total=20)
TOKEN = "canary-token-0123456789"

# ---------------------------------------------------------------- TLS


@pytest.fixture
def authority(tmp_path: Path) -> Any:
    """A certificate authority, and its file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    return authority


def serving(certificate: trustme.LeafCert, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Return how a server speaks TLS with a certificate, up to a version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if newest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = newest
    return context


def payload(context: ssl.SSLContext, ca_file: Path | None) -> tuple[bytes, str]:
    """POST to a server that speaks TLS so; return what it could read, and why nothing was sent."""
    arrived: list[bytes] = []

    def fault(visit: Visit) -> None:
        with context.wrap_socket(visit.connection, server_side=True) as encrypted:
            # The whole request, head and body: who closes with something unread cuts its own answer off.
            while not b"".join(arrived).endswith(b"\r\n\r\n{}"):
                if not (piece := encrypted.recv(65_536)):
                    return
                arrived.append(piece)
            encrypted.sendall(reply(SUCCESS))

    trouble = ""
    with FaultyServer(fault).open() as server:
        transport = Transport(TIMEOUTS, machine=Machine(ca_file=str(ca_file) if ca_file else None))
        try:
            transport.post(f"https://localhost:{server.port}/events", b"{}", {"Authorization": f"Bearer {TOKEN}"})
        except NotSent as problem:
            trouble = str(problem)
        transport.close()
    return b"".join(arrived), trouble


def expired(authority: trustme.CA) -> trustme.LeafCert:
    """Issue a certificate that ended years ago."""
    begin, end = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (2019, 2020))
    return authority.issue_cert("localhost", not_before=begin, not_after=end)


def test_a_wrong_certificate_gets_nothing(
    authority: trustme.CA, tmp_path: Path, figure: Callable[[str, str], None]
) -> None:
    """Another authority, another host, expired, self-signed, an old version: not a byte, and the reason is told."""
    trusted, good = tmp_path / "authority.pem", authority.issue_cert("localhost")
    alone = trustme.CA()
    alone.issue_cert("localhost")
    cases = {
        "unable to get local issuer": (serving(trustme.CA().issue_cert("localhost")), trusted),
        "self-signed certificate": (serving(alone_as_leaf(alone)), trusted),
        "unable to get local issuer certificate": (serving(good), None),
        "Hostname mismatch": (serving(authority.issue_cert("other.example")), trusted),
        "certificate has expired": (serving(expired(authority)), trusted),
        "PROTOCOL_VERSION": (serving(good, ssl.TLSVersion.TLSv1), trusted),
        "protocol_version": (serving(good, ssl.TLSVersion.TLSv1_1), trusted),
    }
    found = {told: payload(*case) for told, case in cases.items()}
    assert {told: arrived for told, (arrived, _) in found.items()} == dict.fromkeys(cases, b"")
    assert [(told, why) for told, (_, why) in found.items() if told.lower() not in why.lower()] == []
    # The same server, with nothing wrong, reads it all: so the silence above is not the test's own.
    assert TOKEN.encode() in payload(serving(good, ssl.TLSVersion.TLSv1_2), trusted)[0]
    figure("S5", f"{len(cases)} wrong certificates and versions, 0 bytes of payload at the server")


def alone_as_leaf(authority: trustme.CA) -> trustme.LeafCert:
    """Use an authority's own certificate as a server's."""
    return trustme.LeafCert(authority.private_key_pem.bytes(), authority.cert_pem.bytes(), [])


def test_nothing_in_the_code_switches_the_checks_off() -> None:
    """No request, no context, no test does without the certificate."""
    weak = r"verify\s*=\s*False|CERT_NONE|CERT_OPTIONAL|check_hostname\s*=\s*False|_unverified_|assert_hostname"
    mine = "tests/proof/test_security_wire.py"
    python = [name for name in repo.matching(r".*\.py$") if name != mine]
    assert [name for name in python if re.search(weak, repo.text(name))] == []


# ---------------------------------------------------------------- environment

PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy")
AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def test_a_proxy_of_the_environment_sees_nothing(
    monkeypatch: pytest.MonkeyPatch, figure: Callable[[str, str], None]
) -> None:
    """Neither of http nor of https."""
    with FaultyServer(answering(reply(SUCCESS))).open() as proxy:
        for name in PROXIES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        for scheme, fault in (("http", answering(reply(b"", "500 Error"))), ("https", catalogue.tls_alert)):
            with FaultyServer(fault).open() as server:
                with suppress(NotSent):
                    assert Transport(TIMEOUTS).post(f"{scheme}://127.0.0.1:{server.port}", b"{}", {}).status == 500
                assert server.visits == 1
        assert proxy.visits == 0
        figure("S6", f"{len(PROXIES)} proxy variables: {proxy.visits} connections to it")


def test_an_authority_of_the_environment_is_not_trusted(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str, str], None]
) -> None:
    """Only the authorities that come with certifi vouch for a platform."""
    for name in AUTHORITIES:
        monkeypatch.setenv(name, str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    arrived, trouble = payload(serving(authority.issue_cert("localhost")), None)
    assert (arrived, "unable to get local issuer" in trouble) == (b"", True)
    figure(
        "S6", f"{len(AUTHORITIES) + 1} variables that name an authority: {len(arrived)} bytes to whom it vouched for"
    )


def test_the_keys_of_a_connection_are_not_written_down(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str, str], None]
) -> None:
    """SSLKEYLOGFILE, which the libraries obey, would let anybody who reads along read the events."""
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    assert TOKEN.encode() in payload(serving(authority.issue_cert("localhost")), tmp_path / "authority.pem")[0]
    assert not keys.exists()
    assert create_urllib3_context().keylog_filename == str(keys)
    figure("S6", "SSLKEYLOGFILE: no key written down")


def test_a_netrc_does_not_replace_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str, str], None]
) -> None:
    """The libraries would send its password instead."""
    for path in (tmp_path / ".netrc", tmp_path / "_netrc"):
        path.write_text("machine 127.0.0.1 login evil password evil\ndefault login evil password evil\n")
        path.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with FaultyServer(answering(reply(SUCCESS))).open() as server:
        Transport(TIMEOUTS).post(f"http://127.0.0.1:{server.port}", b"{}", {"Authorization": f"Bearer {TOKEN}"})
    assert f"Authorization: Bearer {TOKEN}".encode() in server.heads[0].split(b"\r\n")
    figure("S6", ".netrc and NETRC: the token is the one that was sent")


# ---------------------------------------------------------------- answers that attack


def attacks() -> dict[str, bytes]:
    """Return answers that are to break what reads them."""
    return {
        "300 MiB out of a few": reply(catalogue.bomb(300 * 2**20), "200 OK", "Content-Encoding: gzip"),
        "JSON a million deep": reply(b"[" * 10**6),
        "objects a hundred thousand deep": reply(b'{"error":' * 10**5),
        "an integer of a million digits": reply(b'{"events_received":' + b"9" * 10**6 + b"}"),
        "a million errors": reply(b'{"error":{"error_data":[' + b"1," * 500_000 + b"1]}}", "400 Bad"),
        "endless digits to wait": reply(b"", "429 Wait", "Retry-After: " + "9" * 60_000),
    }


def test_an_answer_that_attacks_is_an_answer_like_others(figure: Callable[[str, str], None]) -> None:
    """It gets a verdict, and at most 50 MiB."""
    grown = {}
    for name, attack in attacks().items():
        with FaultyServer(answering(attack)).open() as server, watched() as growth:
            answer = Transport(TIMEOUTS).post(f"http://127.0.0.1:{server.port}", b"{}", {})
            outcome = DESTINATION.read_response(Response(answer.status, answer.body, answer.headers), 1)
        assert outcome.verdict in {"in_doubt", "refused", "throttled"}, name
        grown[name] = growth.mib
    assert max(grown.values()) <= 50
    figure("S13", f"{len(grown)} answers that attack: each a verdict, at most {max(grown.values()):.0f} MiB more")
