"""Finds the servers that tests start, and installs them from Debian's packages: `python -m tests.support.servers`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The package of Debian and Ubuntu that brings each program; strace is no server, but is found in the same way.
PACKAGES = {"postgres": "postgresql", "initdb": "postgresql", "pgbouncer": "pgbouncer", "strace": "strace"}

# Read by Debian's maintainer scripts: the servers that the packages bring are not to start by themselves,
# and no cluster is to be made for them.
QUIET = {
    Path("/usr/sbin/policy-rc.d"): "#!/bin/sh\nexit 101\n",
    Path("/etc/postgresql-common/createcluster.d/for-tests.conf"): "create_main_cluster = false\n",
}


def program(name: str) -> Path | None:
    """Find a program: the newest of Debian's folders, then where pg_config points, then the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda folder: -int(folder.parent.name))
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], check=False, capture_output=True, text=True)
        folders += [Path(folder) for folder in asked.stdout.splitlines()]
    # Debian keeps servers out of the path of ordinary users.
    path = os.pathsep.join(map(str, [*folders, *os.get_exec_path(), "/usr/local/sbin", "/usr/sbin"]))
    found = shutil.which(name, path=path)
    return Path(found) if found else None


def missing() -> list[str]:
    """Name the packages whose programs are not here, each once."""
    return sorted({package for name, package in PACKAGES.items() if program(name) is None})


def needed(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return a program, or skip the test that needs it; in CI a test that cannot run is a failure."""
    if found := program(name):
        return found
    reason = f"{name} is not installed; on Debian or Ubuntu: sudo apt-get install {PACKAGES.get(name, name)}"
    if environment.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Debian's packages from starting their servers; settings that are already there stay."""
    written = [path for path in QUIET if not path.exists()]
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(QUIET[path])
        path.chmod(0o755)
    try:
        yield
    finally:
        for path in written:
            path.unlink()


def install(packages: list[str]) -> bool:
    """Install packages of Debian; tell whether it worked."""
    install_them = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _quiet():
        # The lists of packages may be missing or old, so a first failure is none.
        for command in (install_them, ["apt-get", "update", "-qq"], install_them):
            done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
            if command is install_them and done.returncode == 0:
                return True
    print(done.stderr.strip()[-500:], file=sys.stderr)  # noqa: T201, the last words of apt-get
    return False


def main() -> None:
    """Make the servers available where that needs no question, and otherwise say in one line how to get them."""
    packages = missing()
    names = " ".join(packages)
    if not packages:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing from Debian's packages, for tests: {names}", flush=True)  # noqa: T201
        if install(packages):
            return
    print(  # noqa: T201
        f"Not installed: {names}. The tests that need it are skipped. On Debian or Ubuntu: sudo apt-get install {names}"
    )


if __name__ == "__main__":
    main()
