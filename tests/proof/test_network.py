"""Every fault between a request and its answer is understood, in time, and without filling the memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

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
ALLOWED = Hosts(allowed=("platform.example",))


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
            if fault.closes:
                server.wait_for_an_end()
        transport.close()
    return found, longest, growth.mib, server.paths


def nowhere() -> dict[str, tuple[str, float]]:
    """Return the verdict on each way to reach nobody, and the time it took."""
    over = threading.Event()

    def dumb(*_: Any, **__: Any) -> list[Any]:
        over.wait()
        return []

    with dead_port() as dead, full_port() as full:
        ways = {
            "a connection refused": (f"http://127.0.0.1:{dead}", Machine()),
            "a connection swallowed": (f"http://127.0.0.1:{full}", Machine()),
            "a name that does not exist": ("https://platform.example", Machine(resolve=catalogue.nobody)),
            "a dead IPv6 address": (f"https://platform.example:{dead}", Machine(resolve=catalogue.only_ipv6)),
            "a name server that never answers": ("https://platform.example", Machine(resolve=dumb)),
        }
        found = {}
        for name, (url, machine) in ways.items():
            begun = time.monotonic()
            found[name] = (verdict(Transport(TIMEOUTS, ALLOWED, machine), url), time.monotonic() - begun)
        over.set()
    return found


def test_every_fault_is_understood(figure: Callable[[str, str], None]) -> None:
    """What may have arrived is in doubt, what cannot have is not; in time, in little memory, and nothing followed."""
    faults, missed = catalogue.all_faults(), nowhere()
    met = {fault.name: meet(fault) for fault in faults}
    verdicts = {name: found[0] for name, found in (met | missed).items()}
    assert verdicts == {fault.name: fault.verdict for fault in faults} | dict.fromkeys(missed, NOT_SENT)
    endless = [met[fault.name][1] for fault in faults if fault.lasts]
    slowest = max(*endless, *(seconds for _, seconds in missed.values()))
    largest = max(mib for _, _, mib, _ in met.values())
    followed = [path for *_, paths in met.values() for path in paths if path != "/v26.0/42/events"]
    assert slowest < TIMEOUTS.total + PATIENCE_S
    assert largest <= 50
    assert followed == []
    figure(
        "N1",
        f"{len(verdicts)} of {len(faults) + len(missed)} faults understood; those without an end given up after "
        f"{slowest:.1f} s of {TIMEOUTS.total:.1f} s; at most {largest:.0f} MiB more; {len(followed)} redirects",
    )


def test_one_dead_address_leaves_time_for_the_next() -> None:
    """A host with two addresses, of which the first swallows everything, is reached by the second."""
    with full_port() as dead, FaultyServer(catalogue.answering(catalogue.reply(catalogue.SUCCESS))).open() as server:
        ways = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (dead, server.port)]
        timeouts = Timeouts(connect=2, read=10, total=20)
        transport = Transport(timeouts, machine=Machine(resolve=lambda *_, **__: ways))
        assert verdict(transport, "http://localhost") == "accepted"
        transport.close()
