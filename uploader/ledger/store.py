"""The database that a sent log is kept in: what SQLite and PostgreSQL do each in its own way.

Queries are written once, in the SQL that both understand, with ``:name`` for a value.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from uploader.clock import Clock
    from uploader.ledger.manifest import Manifest


class Store(ABC):
    """One sent log's place, and the one connection to it. ``str(store)`` names the place in messages.

    Every method turns the engine's errors into ours: `TryLater` where another try may do, `LedgerRegression`
    where the log is broken, `ConfigurationError` where a setting or a right is missing.
    """

    @abstractmethod
    def exists(self) -> bool:
        """Tell whether there is a sent log at this place."""

    @abstractmethod
    def locked(self, clock: Clock) -> AbstractContextManager[None]:
        """Be the only run at this place, or raise `TryLater` that says who is (pid, host, start)."""

    @abstractmethod
    def create(self, statements: Sequence[str]) -> None:
        """Make the log, whole or not at all. The ``statements`` are the schema and its first rows."""

    @abstractmethod
    def open(self, *, read_only: bool) -> None:
        """Open the log that is there."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection; harmless when there is none."""

    @abstractmethod
    def set_aside(self, clock: Clock) -> None:
        """Put a log that cannot be read where it is in nobody's way; nothing is deleted."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Do everything inside, on the disk for good at the end, or nothing of it."""

    @abstractmethod
    def execute(self, query: str, values: Mapping[str, Any]) -> int:
        """Run one statement; return how many rows it touched."""

    @abstractmethod
    def execute_many(self, query: str, rows: Iterator[Mapping[str, Any]]) -> None:
        """Run one statement for each of the rows."""

    @abstractmethod
    def insert(self, table: str, rows: pl.DataFrame) -> None:
        """Add many rows to a table, whose columns have the names of the frame's."""

    def expect(self, events: int) -> None:  # noqa: ARG002 - a server keeps its index by itself
        """Make ready for so many new events, of which none is looked for by its id for a while."""
        return

    def index_ids(self) -> None:
        """Make ready to look for events by their ids: after `expect`, or after a run that did not come to its end."""
        return

    def finds_ids(self) -> bool:
        """Tell whether to look for events by their ids asks for no more than that."""
        return True

    @abstractmethod
    def rows(self, query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""

    def frame(self, query: str, values: Mapping[str, Any], schema: pl.Schema) -> pl.DataFrame:
        """Return all rows of a query as a frame of the given schema: whole numbers, texts, and bytes."""
        return pl.DataFrame(self.rows(query, values), schema=schema, orient="row")

    @abstractmethod
    def listed(self, column: str, name: str) -> str:
        """Return the condition that ``column`` is in the value ``name``, which `list_of` made."""

    def list_of(self, texts: Sequence[str]) -> Any:
        """Return texts as the one value that `listed` takes: a JSON array, unless the engine has better."""
        return json.dumps(list(texts))

    @abstractmethod
    def witness(self) -> Manifest | None:
        """Return what is remembered of this log outside of it, or None."""

    @abstractmethod
    def testify(self, manifest: Manifest) -> None:
        """Remember outside of the log how far it has come."""

    @abstractmethod
    def back_up(self, clock: Clock) -> None:
        """Keep a copy of the log as it is, where that is ours to do."""

    def back_up_daily(self, clock: Clock) -> None:  # noqa: ARG002 - a server needs nothing of us
        """Keep a copy unless there is one of the last day; raise `LedgerRegression` when the log is damaged."""
        return

    def prove(self, manifest: Manifest | None, *, read_only: bool) -> None:  # noqa: ARG002 - a server needs nothing of us
        """Raise `LedgerRegression` when the log, which is not open, is not as it was left, or is damaged."""
        return

    def accept(self, clock: Clock) -> None:  # noqa: ARG002 - a server needs nothing of us
        """Make ready for a person's decision that the log, which is not open, counts as it is."""
        return

    def compact(self) -> None:
        """Give the space of deleted rows back, where that is ours to do: the old log or the new one, at any moment."""
        return

    @abstractmethod
    def scrub(self, clock: Clock) -> int:
        """Leave nothing of deleted rows on the disk, as far as that is ours to do; return how many copies are gone.

        Every copy that was made before has them, so a new one takes the place of all of them.
        """
