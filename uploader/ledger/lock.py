"""One run at a time: a lock that the operating system takes back when its holder dies."""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from uploader.errors import ConfigurationError, TryLater
from uploader.ledger import place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from uploader.clock import Clock


@contextmanager
def locked(ledger: Path, clock: Clock, *, allow_network_filesystem: bool = False) -> Iterator[None]:
    """Hold ``<ledger>.lock``, or raise `TryLater` with who holds it."""
    path = ledger.with_name(ledger.name + ".lock")
    flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.require_safe(ledger, place.mountinfo(), allow_network_filesystem=allow_network_filesystem)
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise ConfigurationError(f"The lock {path} cannot be opened ({error.strerror}). See [ledger] path.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 500).decode(errors="replace").strip() or "unknown"
            message = f"Another run holds the lock {path} ({holder}). Nothing was sent; try again later."
            raise TryLater(message) from None
        except OSError as error:
            # Some network file systems have no locks at all.
            raise ConfigurationError(
                f"The lock {path} cannot be taken ({error.strerror}). See [ledger] path."
            ) from None
        with suppress(OSError):  # a full disk: the name of the holder is a courtesy, the lock holds without it
            os.ftruncate(descriptor, 0)
            about = f"pid {os.getpid()} on {socket.gethostname()} since {clock():%Y-%m-%dT%H:%M:%SZ}"
            os.write(descriptor, about.encode())
        yield
    finally:
        os.close(descriptor)
