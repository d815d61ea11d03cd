"""One run of the uploader, put together from parts that a test chooses: it does what `uploader send` does.

The product has no way to be ended at a chosen moment; whoever puts the parts together has.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import polars as pl

from tests.support.at_once import changes_since, due_of, plan
from uploader.clock import naive
from uploader.delivery.planning import MARKS, watched_from
from uploader.delivery.run import Report, begin_watch, deliver
from uploader.delivery.surroundings import Post, Surroundings
from uploader.delivery.targets import Target
from uploader.ledger import Ledger, Publication, Store, guarded
from uploader.warehouse import Profile, outbox
from uploader.warehouse import reading as reading_warehouse
from uploader.warehouse import writing as writing_warehouse
from uploader.warehouse.sent_log import publish, read_publication


class Source(Protocol):
    """Where the rows come from, and where the sent log is published to."""

    def opened(self) -> AbstractContextManager[object]:
        """Open it to read; it is closed before the first request."""

    def published(self) -> Publication | None:
        """Say how far the published sent log has come."""

    def keys(self, since: datetime) -> pl.DataFrame:
        """Return the outbox rows, narrow; see `uploader.warehouse.outbox.read_keys`."""

    def rows(self, due: pl.DataFrame) -> pl.DataFrame:
        """Return whole rows."""

    def publish(self, changes: pl.DataFrame, ledger: Ledger) -> None:
        """Write down what changed."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is put together from.

    ``seen`` is what delivery gets to see of the open sent log, ``keep`` the care that the log gets at the end.
    """

    store: Store
    post: Post
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    progress: Callable[[int], None] = lambda _rows: None
    seen: Callable[[Ledger], Any] = lambda ledger: ledger
    keep: Callable[[Ledger], None] = lambda _ledger: None


def run(source: Source, target: Target, parts: Parts) -> Report:
    """Compare, deliver, publish: one run with the lock held."""
    with ExitStack() as stack:
        stack.enter_context(parts.store.locked(parts.clock))
        with source.opened():
            published = source.published()
            ledger = stack.enter_context(guarded(parts.store, parts.clock, uuid.uuid4().hex[:12], published))
            log, now = parts.seen(ledger), parts.clock()
            made = plan(target, source.keys(watched_from(target, ledger, now)), ledger, now)
            due = due_of(made)
            rows = source.rows(due).hstack(due.select(MARKS))
        begin_watch(made, log)
        around = Surroundings(log, parts.post, parts.clock, parts.sleep, progress=parts.progress)
        report = deliver(made, [rows], around)
        mark = published.high_water if published else 0
        if ledger.high_water != mark:
            source.publish(changes_since(ledger, mark), ledger)
        parts.keep(ledger)
    return report


def built(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Decide rows as `dbt build` does at a time: what the destination accepts for less than an hour is held."""
    moment = naive(now)
    expired = pl.col("expires_at") - timedelta(hours=1) < moment
    return rows.with_columns(
        is_sendable=~expired,
        hold_reason=pl.when(expired).then(pl.lit("expired")),
        as_of=pl.lit(moment, pl.Datetime("us")),
    )


@dataclass(slots=True)
class Warehouse:
    """A DuckDB file with both marts."""

    profile: Profile
    sleep: Callable[[float], None]
    connection: Any = None

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Open the file to read."""
        with reading_warehouse(self.profile, self.sleep) as self.connection:
            yield

    def published(self) -> Publication | None:
        """Read the table ``sent_log_meta``."""
        found = read_publication(self.connection, self.profile)
        return Publication(*found) if found else None

    def keys(self, since: datetime) -> pl.DataFrame:
        """Read the outbox."""
        found = outbox.read_keys(self.connection, self.profile, since)
        return found.with_columns(outbox.read_digests(self.connection, self.profile, found))

    def rows(self, due: pl.DataFrame) -> pl.DataFrame:
        """Read both marts."""
        return outbox.read_rows(self.connection, self.profile, due)

    def publish(self, changes: pl.DataFrame, ledger: Ledger) -> None:
        """Write the table ``sent_log``."""
        with writing_warehouse(self.profile, self.sleep) as connection:
            publish(connection, self.profile, [changes], ledger.ledger_id, ledger.high_water)


@dataclass(slots=True)
class Memory:
    """The same without a file. A publication is whole or not at all, and ``before_commit`` comes before it is."""

    frame: pl.DataFrame
    before_commit: Callable[[], None] = lambda: None
    meta: Publication | None = None
    states: dict[str, str] | None = None

    def opened(self) -> AbstractContextManager[object]:
        """Nothing is to be opened."""
        return nullcontext()

    def published(self) -> Publication | None:
        """Return how far the published sent log has come."""
        return self.meta

    def keys(self, since: datetime) -> pl.DataFrame:
        """Return every row: those before ``since`` are none of this test's."""
        return self.frame.with_columns(pl.Series("row_digest", range(self.frame.height), pl.UInt32))

    def rows(self, due: pl.DataFrame) -> pl.DataFrame:
        """Return whole rows."""
        return due.select("event_key").join(self.frame, on="event_key", maintain_order="left")

    def publish(self, changes: pl.DataFrame, ledger: Ledger) -> None:
        """Remember every key's state."""
        found = (self.states or {}) | dict(changes.select("event_id", "state").rows())
        self.before_commit()
        self.meta, self.states = Publication(ledger.ledger_id, ledger.high_water), found
