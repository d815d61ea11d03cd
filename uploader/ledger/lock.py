"""One run at a time: a lock that the operating system takes back when its holder dies."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from uploader.errors import ConfigurationError, TryLater
from uploader.ledger import place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from uploader.clock import Clock

_GLANCES: Final = 20
_BETWEEN_GLANCES_S: Final = 0.01


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
        _take(descriptor, path)
        with suppress(OSError):  # a full disk: the name of the holder is a courtesy, the lock holds without it
            os.ftruncate(descriptor, 0)
            about = f"pid {os.getpid()} on {socket.gethostname()} since {clock():%Y-%m-%dT%H:%M:%SZ}"
            os.write(descriptor, about.encode())
        try:
            yield
        finally:
            with suppress(OSError):  # so that nobody is told of a holder that is gone
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    """Take the lock, or raise with who holds it. A holder without a name is about to write it, or about to go."""
    holder = ""
    for _ in range(_GLANCES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 500, 0).decode(errors="replace").strip()
            if holder:
                break
            time.sleep(_BETWEEN_GLANCES_S)
        except OSError as error:
            # Some network file systems have no locks at all.
            raise ConfigurationError(
                f"The lock {path} cannot be taken ({error.strerror}). See [ledger] path."
            ) from None
        else:
            return
    message = f"Another run holds the lock {path} ({holder or 'unknown'}). Nothing was sent; try again later."
    raise TryLater(message)
