"""Every fault between a request and its answer is understood, in time, and without filling the memory."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import faulty_catalogue as catalogue
from tests.support.faulty_catalogue import IN_DOUBT, NOT_SENT, Fault
from tests.support.faulty_memory import watched
from tests.support.faulty_server import FaultyServer, dead_port, full_port
from uploader.destinations.interface import Response
from uploader.destinations.meta import DESTINATION
from uploader.hosts import Hosts
from uploader.transport import InDoubt, Machine, NotSent, Timeouts, Transport

TIMEOUTS = Timeouts(connect=0.5, read=0.7, total=1.0)
PLENTY = Timeouts(connect=10, read=10, total=20)
"""For what is over at once, so that a busy machine does not change the verdict."""
PATIENCE_S = 4.0
"""What a busy machine may add to the total timeout."""
OWN = Hosts(own=("graph.facebook.com",))
LOCAL = Hosts(allowed=("platform.example",))


def verdict(transport: Transport, url: str, body: bytes = b"{}") -> str:
    """POST once; say what came of it as the delivery would understand it."""
    try:
        answer = transport.post(f"{url}/v26.0/42/events", body, {"Authorization": "Bearer token"})
    except NotSent:
        return NOT_SENT
    except InDoubt:
        return IN_DOUBT
    return str(DESTINATION.read_response(Response(answer.status, answer.body, answer.headers), 1).verdict)


def meet(fault: Fault) -> tuple[str, float, float, list[str]]:
    """Return the verdict on a fault, the longest time and the most memory it took, and the paths asked for."""
    transport, longest = Transport(TIMEOUTS if fault.lasts else PLENTY), 0.0
    with FaultyServer(fault.act).open() as server, watched() as growth:
        for _ in range(fault.rounds):
            begun = time.monotonic()
            found = verdict(transport, f"{fault.scheme}://127.0.0.1:{server.port}", b"{" + b" " * fault.body)
            longest = max(longest, time.monotonic() - begun)
        transport.close()
    return found, longest, growth.mib, server.paths


def test_every_fault_of_a_server_is_understood(figure: Callable[[str, str], None]) -> None:
    """What may have arrived is in doubt, what cannot have is not; in time, in little memory, and nothing followed."""
    faults = catalogue.all_faults()
    met = {fault.name: meet(fault) for fault in faults}
    assert {name: found[0] for name, found in met.items()} == {fault.name: fault.verdict for fault in faults}
    slowest, largest = (max(found[place] for found in met.values()) for place in (1, 2))
    assert slowest < TIMEOUTS.total + PATIENCE_S
    assert largest <= 50
    followed = [path for *_, paths in met.values() for path in paths if path != "/v26.0/42/events"]
    assert followed == []
    figure(
        "N1",
        f"{len(met)} of {len(faults)} faults of a server understood; the slowest took {slowest:.1f} s of "
        f"{TIMEOUTS.total:.1f} s, the largest {largest:.0f} MiB; {len(followed)} redirects followed",
    )


@pytest.mark.parametrize("port", [dead_port, full_port], ids=["refused", "swallowed"])
def test_no_connection_leaves_no_doubt(port: Any) -> None:
    """Whether the machine refuses or says nothing at all."""
    begun = time.monotonic()
    with port() as number:
        assert verdict(Transport(TIMEOUTS), f"http://127.0.0.1:{number}") == NOT_SENT
    assert time.monotonic() - begun < TIMEOUTS.connect + PATIENCE_S


def test_one_dead_address_leaves_time_for_the_next() -> None:
    """A host with two addresses, of which the first swallows everything, is reached by the second."""
    with full_port() as dead, FaultyServer(catalogue.answering(catalogue.reply(catalogue.SUCCESS))).open() as server:
        ways = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (dead, server.port)]
        timeouts = Timeouts(connect=2, read=10, total=20)
        transport = Transport(timeouts, machine=Machine(resolve=lambda *_, **__: ways))
        assert verdict(transport, "http://localhost") == "accepted"
        transport.close()


@pytest.mark.parametrize("resolve", [catalogue.nobody, catalogue.only_ipv6], ids=["no name", "a dead IPv6 address"])
def test_a_name_that_leads_nowhere_leaves_no_doubt(resolve: Any) -> None:
    """Nothing can have been sent."""
    with dead_port() as port:
        transport = Transport(TIMEOUTS, LOCAL, Machine(resolve=resolve))
        assert verdict(transport, f"https://platform.example:{port}") == NOT_SENT


def test_a_name_server_that_never_answers_is_given_up() -> None:
    """The look-up has no limit of its own; the time to connect ends it."""
    with FaultyServer(lambda visit: visit.hang()).open() as server:

        def resolve(*_: Any, **__: Any) -> list[Any]:
            server.is_over.wait()
            return []

        transport, begun = Transport(TIMEOUTS, OWN, Machine(resolve=resolve)), time.monotonic()
        with pytest.raises(NotSent, match="could not be looked up"):
            transport.post("https://graph.facebook.com/v26.0/42/events", b"{}", {})
        assert time.monotonic() - begun < TIMEOUTS.connect + PATIENCE_S
