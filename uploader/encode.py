"""Turns a frame into JSON texts that lie in one piece of memory, and cuts requests that fit; knows no platform.

A body is declared once, as a nested mapping of keys to expressions, and evaluated in columns: each leaf becomes a
column of JSON text, and one join per object puts them together. NULLs, empty arrays and empty objects are left out;
keys stand in the order in which they were declared. The joins are Arrow's: they write all rows one after the other,
so that the events of a request are a slice of what is there already, and need not be put together again.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from uploader.body import Body, Items, Leaf, Listed, Objects, expression, leaves

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = [
    "Body",
    "Encoded",
    "Items",
    "Leaf",
    "Limits",
    "Listed",
    "Objects",
    "encode",
    "leaf_columns",
    "leaf_paths",
    "pack",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most events and the most body bytes that one request may carry."""

    events: int
    bytes: int


MAX_LEAVES: Final = 63
"""``fields`` is a signed 64-bit integer."""


class Encoded:
    """The JSON texts of a frame's rows, in its order.

    ``fields`` (bitmap): bit i of a row says that the i-th of `leaf_paths` is in its text.
    """

    def __init__(self, texts: pa.LargeStringArray, fields: NDArray[np.int64]) -> None:
        self.fields = pl.Series("fields", fields, dtype=pl.Int64)
        _, offsets, data = texts.buffers()
        self._ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
        # Each text begins with the comma that stands before it in a body.
        self._data = memoryview(data) if data else memoryview(b"")

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The bytes of each text."""
        return np.diff(self._ends) - 1

    def joined(self, start: int, stop: int) -> memoryview:
        """Return the texts of neighbouring rows, joined by commas; nothing is copied."""
        first, last = int(self._ends[start]), int(self._ends[stop])
        return self._data[min(first + 1, last) : last]

    def text(self, row: int) -> memoryview:
        """Return the text of one row."""
        return self.joined(row, row + 1)

    def payloads(self) -> list[str]:
        """Return all texts."""
        return [str(self.text(row), "utf-8") for row in range(len(self))]

    def hashes(self) -> list[bytes]:
        """Return 16 bytes of the SHA-256 of each text."""
        data, sha256 = self._data, hashlib.sha256
        return [sha256(data[start + 1 : stop]).digest()[:16] for start, stop in pairwise(self._ends.tolist())]


def leaf_paths(body: Body) -> tuple[str, ...]:
    """Name the leaves in the order of the bits of ``fields``, as in ``user_data.em``."""
    return tuple(path for path, _ in leaves(body))


def leaf_columns(body: Body) -> dict[str, tuple[str, ...]]:
    """Name the columns that each leaf is made of, by its path, in the order of `leaf_paths`."""
    return {path: tuple(expression(leaf).meta.root_names()) for path, leaf in leaves(body)}


def encode(frame: pl.DataFrame, body: Body) -> Encoded:
    """Write each row as compact JSON.

    Leaves may be strings, integers, booleans, decimals, or lists of these. A float raises `TypeError`: it
    has no exact shortest decimal, and money must not change on its way.
    """
    from uploader.columns import join, leaf_value, tree  # with them come Arrow's functions, which take long to import

    declared = dict(leaves(body))
    if len(declared) > MAX_LEAVES:
        raise ValueError(f"a body has at most {MAX_LEAVES} leaves, this one has {len(declared)}")
    values = frame.with_columns(expression(leaf).alias(path) for path, leaf in declared.items()).select(*declared)
    height = frame.height
    found = {path: leaf_value(values[path], leaf) for path, leaf in declared.items()}
    fields = np.zeros(height, dtype=np.int64)
    for bit, value in enumerate(found.values()):
        if value is not None:
            fields += np.int64(1 << bit) if value.present is None else value.present * np.int64(1 << bit)
    whole = tree(body, "", found, height)
    parts = [",{", *(whole.inner if whole else []), "}"]
    return Encoded(join(parts, height), fields)


def pack(sizes: NDArray[np.int64], limits: Limits, envelope_bytes: int) -> list[tuple[int, int]]:
    """Cut texts of so many bytes into ``(start, stop)`` ranges, each within the limits by count and bytes.

    A text that is over the byte limit on its own gets a range of its own: whether to try it is the
    caller's decision.
    """
    # Each event but the last brings a comma, so the sum over "length + 1" is one more than the bytes sent.
    ends = np.cumsum(np.asarray(sizes) + 1).tolist()
    room = limits.bytes - envelope_bytes + 1
    ranges: list[tuple[int, int]] = []
    start = 0
    while start < len(ends):
        before = ends[start - 1] if start else 0
        last = min(start + max(limits.events, 1), len(ends))
        stop = max(bisect_right(ends, before + room, start, last), start + 1)
        ranges.append((start, stop))
        start = stop
    return ranges
