"""Open the sent log only when it is provably the one that was written last."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from uploader.clock import moment
from uploader.errors import ConfigurationError, LedgerRegression, TryLater
from uploader.ledger import migrations
from uploader.ledger.log import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.clock import Clock
    from uploader.ledger.manifest import Manifest
    from uploader.ledger.store import Store

_CLOCK_SLACK: Final = timedelta(minutes=5)
"""How far a clock may be corrected backwards between two runs."""


@dataclass(frozen=True, slots=True)
class Publication:
    """How far the warehouse's copy of the sent log has come, and whose copy it is."""

    ledger_id: str
    high_water: int


@contextmanager
def guarded(
    store: Store, clock: Clock, run_id: str, published: Publication | None, *, init: bool = False
) -> Iterator[Ledger]:
    """Open the sent log for writing; make it on a first run, or where ``init`` asks for it.

    Raises `LedgerRegression` when it is missing, unreadable, or behind its manifest or its publication, and
    `TryLater` when the clock is behind the log.
    """
    if init:
        ledger = _opened_anew(store, clock, run_id)
    else:
        manifest = store.witness()
        if not store.exists():
            _refuse_missing(store, manifest, published)
            Ledger.create(store, clock)
        _prove(store, manifest, published, read_only=False)
        ledger = Ledger(store, clock, run_id)
    try:
        if init:
            ledger.correct_clock(clock())
        else:
            _compare_all(ledger, manifest, published)
            _check_clock(ledger, clock())
        store.testify(ledger.manifest)
        yield ledger
        store.testify(ledger.manifest)
    finally:
        ledger.close()


def _opened_anew(store: Store, clock: Clock, run_id: str) -> Ledger:
    """Open a log that a person accepts as it is; one that cannot be read is moved aside, never deleted."""
    try:
        if store.exists():
            store.accept(clock)
            store.prove(None, read_only=False)
            return Ledger(store, clock, run_id)
    except LedgerRegression:
        store.set_aside(clock)
    Ledger.create(store, clock)
    store.prove(None, read_only=False)
    return Ledger(store, clock, run_id)


def verify(store: Store, published: Publication | None) -> None:
    """Raise `LedgerRegression` where `guarded` would, without writing anything."""
    manifest = store.witness()
    if not store.exists():
        _refuse_missing(store, manifest, published)
        return
    try:
        _prove(store, manifest, published, read_only=True)
    except LedgerRegression:
        if store.witness() == manifest:
            raise  # otherwise a run has written meanwhile: what was compared were two moments of it
    _verify_read_only(store, manifest, published)


def _prove(store: Store, manifest: Manifest | None, published: Publication | None, *, read_only: bool) -> None:
    if manifest:
        migrations.require_known(store, manifest.schema_version)  # how a newer version proves its log is not known
    try:
        store.prove(manifest, read_only=read_only)
    except LedgerRegression:
        _verify_read_only(store, manifest, published)  # can often say more exactly what is wrong
        raise


def _verify_read_only(store: Store, manifest: Manifest | None, published: Publication | None) -> None:
    try:
        ledger = Ledger(store, lambda: datetime.now(UTC), "verify", read_only=True)
    except ConfigurationError:
        return  # of another version: `guarded` brings it forward, or says that it cannot
    try:
        _compare_all(ledger, manifest, published)
    finally:
        ledger.close()


def _check_clock(ledger: Ledger, now: datetime) -> None:
    """Raise when the log was written in what the clock says is the future: ages and windows would be wrong."""
    written = moment(ledger.written_at)
    if now < written - _CLOCK_SLACK:
        raise TryLater(
            f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC, but the sent log was last written at "
            f"{written:%Y-%m-%d %H:%M:%S} UTC. One of the two clocks is wrong, so ages cannot be judged. "
            "Nothing was sent. Correct the clock of this machine; if it is right, `uploader send --init` believes it."
        )


def _refuse_missing(store: Store, manifest: Manifest | None, published: Publication | None) -> None:
    if manifest or published:
        witness = "its manifest" if manifest else "the warehouse's table sent_log_meta"
        raise LedgerRegression(
            f"The sent log {store} is missing, although {witness} remembers it. Nothing was sent. Restore it from "
            "a backup. If it is gone for good, `uploader send --init` begins a new one: what was sent in the last "
            "days will be sent again, and may be counted twice."
        )


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
    raise LedgerRegression(
        f"The sent log {ledger.store} {wrong}. Nothing was sent. Restore the newest copy, or accept this one with "
        "`uploader send --init`: what it does not know of will be sent again, and may be counted twice."
    )
