"""Open the sent log only when it is provably the one that was written last."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from uploader.errors import LedgerRegression
from uploader.ledger.manifest import Manifest
from uploader.ledger.sqlite import SCHEMA_VERSION, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from uploader.clock import Clock


@dataclass(frozen=True, slots=True)
class Publication:
    """How far the warehouse's copy of the sent log has come, and whose copy it is."""

    ledger_id: str
    high_water: int


@contextmanager
def guarded(
    path: Path, clock: Clock, run_id: str, published: Publication | None, *, init: bool = False
) -> Iterator[Ledger]:
    """Open the sent log for writing; make it on a first run, or where ``init`` asks for it.

    Raises `LedgerRegression` when it is missing, unreadable, or behind its manifest or its publication.
    """
    exists = _exists(path)
    manifest = None if init else Manifest.read(path)
    if not exists and not init:
        _refuse_missing(path, manifest, published)
    ledger = _opened_anew(path, clock, run_id) if init and exists else Ledger(path, clock, run_id, create=not exists)
    try:
        if exists and not init:
            _compare_all(ledger, manifest, published)
        Manifest.of(ledger.ledger_id, ledger.high_water, SCHEMA_VERSION).write(path)
        yield ledger
    finally:
        ledger.close()


def _opened_anew(path: Path, clock: Clock, run_id: str) -> Ledger:
    """Open a log that a person accepts as it is; one that cannot be read is moved aside, never deleted."""
    try:
        return Ledger(path, clock, run_id, create=False)
    except LedgerRegression:
        aside = path.with_name(f"{path.name}.backups") / f"{clock():%Y%m%dT%H%M%S}"
        aside.mkdir(parents=True, mode=0o700)
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if file.exists():
                file.rename(aside / file.name)
        return Ledger(path, clock, run_id, create=True)


def verify(path: Path, published: Publication | None) -> None:
    """Raise `LedgerRegression` where `guarded` would, without writing anything."""
    manifest = Manifest.read(path)
    if not _exists(path):
        _refuse_missing(path, manifest, published)
        return
    ledger = Ledger(path, lambda: datetime.now(UTC), "verify", create=False, read_only=True)
    try:
        _compare_all(ledger, manifest, published)
    finally:
        ledger.close()


def _exists(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _refuse_missing(path: Path, manifest: Manifest | None, published: Publication | None) -> None:
    if manifest or published:
        witness = Manifest.path_for(path) if manifest else "the warehouse's table sent_log_meta"
        message = (
            f"The sent log {path} is missing, although {witness} remembers it. Nothing was sent. Restore it from "
            "a backup. If it is gone for good, `uploader send --init` begins a new one: what was sent in the last "
            "days will be sent again, and may be counted twice."
        )
        raise LedgerRegression(message)


def _compare_all(ledger: Ledger, manifest: Manifest | None, published: Publication | None) -> None:
    _compare(ledger, "its manifest", manifest)
    _compare(ledger, "the warehouse's table sent_log_meta", published)


def _compare(ledger: Ledger, witness: str, claim: Manifest | Publication | None) -> None:
    if claim is None:
        return
    if claim.ledger_id != ledger.ledger_id:
        wrong = f"is not the one that {witness} describes"
    elif claim.high_water > ledger.high_water:
        lost = claim.high_water - ledger.high_water
        wrong = f"is older than {witness}: changes that it lacks: {lost}"
    else:
        return
    message = (
        f"The sent log {ledger.path} {wrong}. Nothing was sent. Restore the newest copy, or accept this one with "
        "`uploader send --init`: what it does not know of will be sent again, and may be counted twice."
    )
    raise LedgerRegression(message)
