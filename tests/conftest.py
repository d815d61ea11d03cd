"""What every test gets: no variable of the project's own in the environment, and no network beyond this machine."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from tests.support.postgres import Pooler, Server

ROOT = Path(__file__).parent.parent

for _name in [name for name in os.environ if name.startswith(("UPLOADER", "META_", "DBT_"))]:
    del os.environ[_name]
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to anything but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost"):
            raise ConnectionRefusedError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Run one PostgreSQL server for all tests of a process; each test makes databases of its own in it."""
    from tests.support.postgres import server

    with server() as running:
        yield running


@pytest.fixture(scope="session")
def pgbouncer(postgres: Server) -> Iterator[Pooler]:
    """Run one PgBouncer in transaction mode in front of that server."""
    from tests.support.postgres import pooler

    with pooler(postgres) as running:
        yield running


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Report a measured figure: its name and a sentence; the end of the run shows all of them together."""

    def record(name: str, text: str) -> None:
        request.node.user_properties.append((f"figure {name}", text))

    return record


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Show the figures that tests reported, in natural order: 2 before 10."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    figures = {
        (name.removeprefix("figure "), text, report.nodeid)
        for report in reports
        for name, text in getattr(report, "user_properties", ())
        if name.startswith("figure ")
    }
    if figures:
        terminalreporter.section("figures")
    # Digits stand at every second place, so that numbers are compared with numbers.
    for name, text, test in sorted(
        figures,
        key=lambda found: ([int(part) if part.isdigit() else part for part in re.split(r"(\d+)", found[0])], found),
    ):
        terminalreporter.write_line(f"{name}  {text}  ({test})")
