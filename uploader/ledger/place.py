"""Is this a place where a sent log is safe: a folder that is not everybody's, on a disk of this machine?"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Final

from uploader.errors import ConfigurationError

SUFFIXES: Final = ("", "-wal", "-shm", "-journal", ".lock", ".manifest.json", ".backups")
"""What stands beside a sent log, each name being the log's own and one of these."""

_MOUNTS: Final = Path("/proc/self/mountinfo")
# Locks may be lost there, and SQLite's -shm file is shared memory, which two machines do not share.
_SHARED: Final = (
    *("9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fakeowner", "fuse", "gfs2", "glusterfs", "gpfs"),
    *("lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf"),
    *("virtiofs", "vmhgfs"),
)
# A container's own layer is on this machine, although a program in user space serves it.
_LOCAL_FUSE: Final = ("fuse.fuse-overlayfs",)
# The root of a virtual machine or a sandbox is its own, although its host serves it; other folders may be shares.
_GUESTS: Final = ("9p", "virtiofs")


def mountinfo() -> str:
    """Return the kernel's table of mounted file systems; empty where it keeps none, and then nothing is refused."""
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def mount_of(folder: Path, mounts: str) -> tuple[str, str]:
    """Return where the file system that a resolved folder is on is mounted, and its type, by the text of a mountinfo.

    Format: https://www.kernel.org/doc/html/latest/filesystems/proc.html (3.5), read 2026-11-21.
    """
    found = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split()
        if len(fields) < 5 or not kinds:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
        # Of two mounts at one point the later one lies above.
        if folder.is_relative_to(point) and len(point) >= len(found[0]):
            found = point, kinds[0]
    return found


def is_shared(point: str, kind: str) -> bool:
    """Tell whether a file system is one that other machines may write to as well."""
    if point == "/" and kind in _GUESTS:
        return False
    return kind in _SHARED or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def require_safe(ledger: Path, mounts: str, *, allow_network_filesystem: bool) -> None:
    """Raise `ConfigurationError` for a place of a sent log that others could get at. Its folder must exist.

    Members of the folder's group are trusted, because many systems give every user a group of his own and let it
    write; everybody is not, sticky bit or not, because whoever comes first could leave a sent log of his own there.
    """
    for path in (ledger.with_name(ledger.name + suffix) for suffix in SUFFIXES):
        if path.is_symlink():
            raise ConfigurationError(f"{path} is a symbolic link. Let [ledger] path name the file itself.")
    folder = ledger.parent.resolve()
    if folder.stat().st_mode & stat.S_IWOTH:
        raise ConfigurationError(
            f"Everybody may write to the folder {folder}, so anybody could put another sent log there. "
            f"Let [ledger] path name a folder in it, like {folder / 'ledger' / ledger.name}, or take that right away."
        )
    point, kind = mount_of(folder, mounts)
    if is_shared(point, kind) and not allow_network_filesystem:
        raise ConfigurationError(
            f"The folder {folder} is on a file system of type {kind}, which other machines may share: there the lock "
            "may not hold, and SQLite can damage the sent log. Put it on a local disk, or keep it in PostgreSQL "
            "([ledger] url_env). Where only this machine uses the folder: [ledger] allow_network_filesystem = true."
        )
