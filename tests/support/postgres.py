"""A real PostgreSQL server and a real PgBouncer, on loopback, without rights on this machine, gone after the tests."""

from __future__ import annotations

import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.support.servers import needed

HOST = "127.0.0.1"
ADMIN = "admin"  # the superuser: makes databases, looks at sessions, ends them
USER = "uploader"  # what the product logs in as: owns its databases, and has no other right
START_SECONDS = 60


def _account() -> tuple[int, int] | tuple[None, None]:
    """Choose the user and the group that a server runs as: PostgreSQL and PgBouncer refuse to run as root."""
    if os.geteuid() != 0:
        return None, None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise RuntimeError("no account without rights is on this machine: neither postgres nor nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Daemon:
    """A server program with a folder of its own, started and stopped at will, always on the same port."""

    folder: Path
    password: str = field(default_factory=lambda: secrets.token_hex(16))
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def run(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a program as the account without rights; nothing of this environment goes along."""
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        user, group = _account()
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
            )

    def write(self, name: str, content: str) -> Path:
        """Leave a file that the server, and nobody else, can read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(content)
        self.hand_over(path)
        return path

    def hand_over(self, path: Path) -> None:
        """Give a file or folder to the account that the server runs as."""
        user, group = _account()
        if user is not None and group is not None:
            os.chown(path, user, group)

    def start(self, command: Callable[[int], list[str | Path]], url: Callable[[], str]) -> None:
        """Start on a free port, or on the one it had, and wait until it answers at ``url``."""
        # Another program may take a free port before the server does.
        for port in [self.port] if self.port else [_free_port() for _ in range(3)]:
            self.port = port
            self.process = self.run(*command(port))
            if self._answers(self.process, url):
                return
        raise RuntimeError(f"the server did not start: {(self.folder / 'log').read_text()[-2000:]}")

    def _answers(self, process: subprocess.Popen[bytes], url: Callable[[], str]) -> bool:
        for _ in range(START_SECONDS * 10):
            with suppress(psycopg.OperationalError), psycopg.connect(url(), connect_timeout=5):
                return True
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
                return False  # it ended: the port was taken, or its log says why
        self.stop()
        return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it and wait: SIGINT ends sessions in order, SIGQUIT is a crash."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(how)
            self.process.wait(START_SECONDS)
            self.process = None


@contextmanager
def _daemon() -> Iterator[Daemon]:
    # Not pytest's own folder: no other account may look into that one.
    daemon = Daemon(Path(tempfile.mkdtemp(prefix="pg-")))
    daemon.hand_over(daemon.folder)
    try:
        yield daemon
    finally:
        # Its folder goes with it, so nothing needs to reach the disk: this takes a hundredth of the time.
        daemon.stop(signal.SIGQUIT)
        shutil.rmtree(daemon.folder)


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server with a cluster of its own, whose databases are as durable as anyone's."""

    daemon: Daemon
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres", user: str = USER) -> str:
        """Say where a database is, with the name and the password to log in with."""
        return f"postgresql://{user}:{self.daemon.password}@{HOST}:{self.daemon.port}/{database}"

    def admin(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as the superuser and return its rows."""
        with psycopg.connect(self.url(database, ADMIN), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def fresh(self, options: str = "") -> str:
        """Make an empty database that the product's user owns, and say where it is; options are of PostgreSQL's."""
        database = f"fresh_{next(self.numbers)}"
        self.admin(f"create database {database} owner {USER} template template0 {options}")
        return self.url(database)

    def create(self) -> None:
        """Make the cluster and start it."""
        password = self.daemon.write("password", self.daemon.password)
        options = ["-A", "scram-sha-256", f"--pwfile={password}", "-U", ADMIN, "-E", "UTF8", "--locale=C", "--no-sync"]
        if self.daemon.run(needed("initdb"), "-D", self.daemon.folder / "data", *options).wait(START_SECONDS):
            raise RuntimeError(f"initdb failed: {(self.daemon.folder / 'log').read_text()[-2000:]}")
        self.start()
        self.admin(f"create role {USER} login password '{self.daemon.password}'")

    def start(self) -> None:
        """Start it, again on the port that it had; it listens on loopback and on no socket in a folder."""
        fixed = ["-c", f"listen_addresses={HOST}", "-c", "unix_socket_directories="]
        self.daemon.start(
            lambda port: [needed("postgres"), "-D", self.daemon.folder / "data", "-p", str(port), *fixed],
            lambda: self.url(user=ADMIN),
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends sessions in order, SIGQUIT is a crash."""
        self.daemon.stop(how)


@dataclass(frozen=True, slots=True)
class Pooler:
    """PgBouncer in transaction mode: a session's statements may run in different sessions of the server."""

    daemon: Daemon
    server: Server

    def through(self, url: str) -> str:
        """Say how to reach a server's database through the pooler."""
        return url.replace(f"@{HOST}:{urlsplit(url).port}/", f"@{HOST}:{self.daemon.port}/")

    def fresh(self) -> str:
        """Make an empty database and say how to reach it through the pooler."""
        return self.through(self.server.fresh())

    def _command(self, port: int) -> list[str | Path]:
        users = "".join(f'"{user}" "{self.daemon.password}"\n' for user in (ADMIN, USER))
        settings = {
            "listen_addr": HOST,
            "listen_port": port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": self.daemon.write("users", users),
            "pool_mode": "transaction",
        }
        content = f"[databases]\n* = host={HOST} port={self.server.daemon.port}\n[pgbouncer]\n"
        content += "".join(f"{name} = {value}\n" for name, value in settings.items())
        return [needed("pgbouncer"), self.daemon.write("ini", content)]

    def start(self) -> None:
        """Start it, again on the port that it had."""
        self.daemon.start(self._command, lambda: self.through(self.server.url(user=ADMIN)))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it at once, whatever its clients are doing."""
        self.daemon.stop(how)


@contextmanager
def server() -> Iterator[Server]:
    """Run a server of one's own, to stop and to crash; the fixture ``postgres`` is for everything else."""
    needed("initdb"), needed("postgres")
    with _daemon() as daemon:
        made = Server(daemon)
        made.create()
        yield made


@contextmanager
def pooler(behind: Server) -> Iterator[Pooler]:
    """Run a pooler of one's own in front of a server."""
    needed("pgbouncer")
    with _daemon() as daemon:
        daemon.password = behind.daemon.password
        made = Pooler(daemon, behind)
        made.start()
        try:
            yield made
        finally:
            made.stop()  # SIGQUIT, which it does not know, is ignored where a shell started all this in the background
