"""Rows as JSON, cut into requests: rows are read, encoded and sent at the same time, one chunk after the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import polars as pl

from uploader.encode import encode

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from uploader.delivery.targets import Target
    from uploader.encode import Body, Encoded

    Item = TypeVar("Item")

ROWS: Final = 10_000
"""A chunk's rows: enough that the columns' own cost does not count, few enough that several fit into memory."""

_OF_ROW: Final = ("event_key", "event_name", "event_id", "event_at", "expires_at", "action_source", "as_of")
_KEPT: Final = (*_OF_ROW, "first_intent_at", "lane", "quarantines", "resend_us", "row_no", "place", "plain_until")
"""What sending needs of a row beside its text."""


def needed(target: Target) -> frozenset[str]:
    """Name the columns of the marts that sending needs: those that an event is made of, and what `Chunk` tells."""
    return frozenset({*_OF_ROW, "consent_decided_at", *target.columns()})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of one lane and one place, encoded.

    ``rows`` are narrow: `_KEPT`, ``event_us`` and ``consent_us`` (the times of the event and of the decision relied on,
    in microseconds), ``payload_hash``, ``fields``, and where the text of each stands: at ``text_at`` in the chunk that
    has the number ``text_in``.
    """

    number: int
    part: pl.DataFrame
    """The rows, as wide as they were read, that the chunk is a part of."""
    rows: pl.DataFrame
    encoded: Encoded

    @classmethod
    def make(cls, number: int, part: pl.DataFrame, rows: pl.DataFrame, body: Body) -> Chunk:
        """Encode ``rows``, a slice of ``part``."""
        encoded = encode(rows, body)
        narrow = rows.select(
            *_KEPT,
            pl.col("event_at").dt.epoch("us").alias("event_us"),
            pl.col("consent_decided_at").dt.epoch("us").alias("consent_us"),
            pl.Series("payload_hash", encoded.hashes(), pl.Binary),
            encoded.fields,
            pl.lit(number).alias("text_in"),
            pl.int_range(pl.len()).alias("text_at"),
        )
        return cls(number, part, narrow, encoded)


class Texts:
    """The texts of the rows at hand.

    They are those of the chunk that is being sent, of the one before, of which requests may still be under way, and of
    single rows sent before their turn.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, Encoded] = {}
        self._turns: list[int] = []

    @property
    def current(self) -> int:
        """The number of the chunk that is being sent."""
        return self._turns[-1]

    def keep(self, chunk: Chunk) -> None:
        """Keep a single row's text."""
        self._chunks[chunk.number] = chunk.encoded

    def turn_to(self, chunk: Chunk) -> None:
        """Keep a chunk's texts, and those of the one before, but no longer those of the one before that."""
        self._turns.append(chunk.number)
        if len(self._turns) > 2:
            del self._chunks[self._turns.pop(0)]
        self.keep(chunk)

    def joined(self, batch: pl.DataFrame) -> bytes | memoryview:
        """Return the texts of a batch's rows, in its order, joined by commas."""
        encoded, places = self._chunks[batch["text_in"][0]], batch["text_at"]
        first, last = places[0], places[-1]
        if last - first + 1 == batch.height and places.is_sorted():
            return encoded.joined(first, last + 1)
        return b",".join(encoded.text(place) for place in places)


class Lookahead:
    """Chunks in the order to send them, the next one made while one is sent."""

    def __init__(self, chunks: Iterator[Chunk]) -> None:
        self._chunks = ahead(chunks)
        self._sent: Chunk | None = None
        self._next: Chunk | None = None

    def __iter__(self) -> Iterator[Chunk]:
        """Return each chunk in its turn."""
        while (chunk := self._peek()) is not None:
            self._sent, self._next = chunk, None
            yield chunk

    def rows(self) -> pl.DataFrame:
        """Return all rows at hand: those of the part that is being sent, and those of the next one."""
        parts = {id(chunk.part): chunk.part for chunk in (self._sent, self._peek()) if chunk is not None}
        return pl.concat(parts.values())

    def close(self) -> None:
        """Make no other chunk."""
        self._chunks.close()

    def _peek(self) -> Chunk | None:
        self._next = self._next or next(self._chunks, None)
        return self._next


def slices(parts: Iterable[pl.DataFrame]) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Cut rows into slices for a chunk each; yields a part with its ``row_no``, which goes on, and the slice of it.

    Apart are rows of two lanes, those that the platform would or would not recognize again, and those of two places.
    """
    apart = ("lane", "quarantines", "resend_us", "place")
    number = 0
    for part in parts:
        groups = part.partition_by(*apart, maintain_order=True) if part.select(apart).n_unique() > 1 else [part]
        whole = pl.concat(groups).with_row_index("row_no", number)
        number, start = number + part.height, 0
        for group in groups:
            for first in range(start, start + group.height, ROWS):
                yield whole, whole.slice(first, min(ROWS, start + group.height - first))
            start += group.height


def ahead(items: Iterator[Item]) -> Generator[Item]:
    """Return the items, the next one made in a thread while the caller works on the last one."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item
