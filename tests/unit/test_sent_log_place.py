"""Where a sent log may be kept, and who may read its files."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.support.delivering import NOW, Clock, World, orders
from tests.support.repository import ROOT
from uploader.errors import ConfigurationError
from uploader.ledger import SqliteStore, guarded, place, store_for, upkeep
from uploader.ledger.database import SqliteDatabase
from uploader.settings import LedgerSettings

# Lines as the kernel writes them: proc(5), /proc/pid/mountinfo.
MOUNTS = """\
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 27 0:28 / /srv rw,nosuid - nfs4 filer:/export rw,vers=4.2
32 31 8:17 / /srv/local rw shared:5 master:2 - xfs /dev/sdb1 rw
33 27 0:44 / /mnt/my\\040share rw - cifs //filer/share rw
34 27 0:45 / /mnt/usb rw - fuseblk /dev/sdc1 rw
35 27 0:46 / /mnt/remote rw - fuse.sshfs me@there:/ rw
36 27 0:47 / /twice rw - ext4 /dev/vdb rw
37 27 0:48 / /twice rw - virtiofs tag rw
38 27 0:49 / /layer rw - fuse.fuse-overlayfs fuse-overlayfs rw
no mount at all
"""


def _holding(store: SqliteDatabase) -> None:
    with store.locked(Clock()):
        pass


@pytest.mark.parametrize(
    ("folder", "kind", "shared"),
    [
        ("/opt/shop", "ext4", False),
        ("/srv", "nfs4", True),
        ("/srv/logs", "nfs4", True),
        ("/srvlogs", "ext4", False),
        ("/srv/local/logs", "xfs", False),
        ("/mnt/my share/logs", "cifs", True),
        ("/mnt/usb", "fuseblk", False),
        ("/mnt/remote", "fuse.sshfs", True),
        ("/twice", "virtiofs", True),
        ("/layer", "fuse.fuse-overlayfs", False),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount(folder: str, kind: str, shared: bool) -> None:
    """By whole names of folders, escapes read; of two mounts at one point the later one lies above."""
    point, found = place.mount_of(Path(folder), MOUNTS)
    assert found == kind
    assert place.is_shared(point, found) is shared


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "ceph", "lustre", "fuse.sshfs"])
def test_a_folder_that_other_machines_share_is_refused(tmp_path: Path, kind: str) -> None:
    """Exit 78 with the setting that forces it; with that setting it is taken."""
    mounts, log = f"1 0 0:1 / {tmp_path} rw - {kind} somewhere rw\n", tmp_path / "sent_log.sqlite"
    with pytest.raises(ConfigurationError, match=rf"type {kind}.*allow_network_filesystem = true"):
        place.require_safe(log, mounts, allow_network_filesystem=False)
    place.require_safe(log, mounts, allow_network_filesystem=True)


@pytest.mark.parametrize("kind", ["9p", "virtiofs"])
def test_the_root_of_a_virtual_machine_is_its_own(tmp_path: Path, kind: str) -> None:
    """Its host serves it, and nobody else has it; a folder that is mounted in the same way is a share."""
    log = tmp_path / "sent_log.sqlite"
    place.require_safe(log, f"1 0 0:1 / / rw - {kind} root rw\n", allow_network_filesystem=False)


def test_where_the_kernel_keeps_no_table_nothing_is_refused(tmp_path: Path) -> None:
    """Not every system has one."""
    place.require_safe(tmp_path / "sent_log.sqlite", "", allow_network_filesystem=False)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal", ".lock", ".manifest.json", ".backups"])
def test_a_symbolic_link_in_the_place_of_a_file_is_refused(tmp_path: Path, suffix: str) -> None:
    """It may lead to what another one wants to be overwritten; what it leads to stays as it was."""
    target = tmp_path / "elsewhere"
    target.write_text("precious")
    (tmp_path / f"sent_log.sqlite{suffix}").symlink_to(target)
    with pytest.raises(ConfigurationError, match="symbolic link"):
        _holding(SqliteStore(tmp_path / "sent_log.sqlite"))
    assert target.read_text() == "precious"


def test_a_folder_may_be_a_link(tmp_path: Path) -> None:
    """Only who may write to the folder above could have put it there."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    _holding(SqliteStore(tmp_path / "link" / "sent_log.sqlite"))
    assert [file.name for file in (tmp_path / "real").iterdir()] == ["sent_log.sqlite.lock"]


@pytest.mark.parametrize(
    ("mode", "is_safe"), [(0o700, True), (0o755, True), (0o775, True), (0o777, False), (0o1777, False)]
)
def test_a_folder_that_everybody_may_write_to_is_refused(tmp_path: Path, mode: int, is_safe: bool) -> None:
    """Exit 78 with a better place; a group of one's own is what many systems give to each user."""
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(mode)
    if is_safe:
        _holding(SqliteStore(folder / "sent_log.sqlite"))
        return
    with pytest.raises(ConfigurationError, match=r"Everybody may write .*folder/ledger/sent_log\.sqlite"):
        _holding(SqliteStore(folder / "sent_log.sqlite"))
    _holding(SqliteStore(folder / "ledger" / "sent_log.sqlite"))


def test_only_the_owner_may_read_any_of_the_files(tmp_path: Path) -> None:
    """Log, -wal, -shm, lock, manifest and backups are 0600, the folders that we make 0700, in the middle of a run."""
    folder = tmp_path / "made" / "here"
    world = World(folder)
    with world.store().locked(world.clock):
        world.run(orders(3))
        with guarded(world.store(), world.clock, "run", None) as ledger:
            upkeep.keep(ledger, world.clock, LedgerSettings())
            ledger.watch("meta:42", NOW)
            files = {path.relative_to(folder): path.stat().st_mode for path in [folder, *folder.rglob("*")]}
    named = {"" if path == Path() else path.name.removeprefix("sent_log.sqlite"): mode for path, mode in files.items()}
    assert {"", "-wal", "-shm", ".lock", ".manifest.json", ".backups"} < set(named)
    assert len(list(folder.glob("sent_log.sqlite.backups/*.sqlite"))) == 1
    assert {stat.S_IMODE(mode) for mode in files.values() if stat.S_ISDIR(mode)} == {0o700}
    assert {stat.S_IMODE(mode) for mode in files.values() if stat.S_ISREG(mode)} == {0o600}


def test_the_setting_reaches_the_lock(tmp_path: Path) -> None:
    """The store that the settings name allows what they allow."""
    settings = LedgerSettings(path=tmp_path / "log", allow_network_filesystem=True)
    assert store_for(settings, {})._allow_network_filesystem is True
    assert store_for(LedgerSettings(path=tmp_path / "log"), {})._allow_network_filesystem is False


def test_the_sent_log_remembers_for_longer_than_events_live() -> None:
    """The longest age of all destinations, 2 days in which it is recognized, 7 days for outages: less is refused."""
    with (ROOT / "seeds" / "destinations.csv").open(encoding="utf-8", newline="") as file:
        ages = [int(row[name]) for row in csv.DictReader(file) for name in ("max_age_days", "max_age_days_in_store")]
    assert LedgerSettings(retention_days=100).retention_days > max(ages) + 2 + 7
    with pytest.raises(ValidationError, match=r"must be 100 or more.*90 days"):
        LedgerSettings(retention_days=99)
