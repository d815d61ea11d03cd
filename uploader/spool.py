"""Frames that wait in a temporary file, so that a long list of rows needs no memory.

The file has no name, so that nothing is left of it, however the process ends. A short list stays in memory.
"""

from __future__ import annotations

import tempfile
import weakref
from io import BytesIO
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.errors import TryLater

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_IN_MEMORY: Final = 4 * 1024 * 1024
"""Bytes that are worth no file."""


class Spool:
    """Frames of one schema: what is put in first comes out first, as often as it is asked for."""

    def __init__(self, schema: pl.Schema) -> None:
        self.schema = schema
        self.height = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it lives as long as this
        self._ends = [0]
        weakref.finalize(self, self._file.close)

    def put(self, frame: pl.DataFrame) -> None:
        """Add a frame's rows; of its columns, those of the schema."""
        if frame.is_empty():
            return
        written = frame.select(self.schema.names()).cast(self.schema).write_ipc(None, compression="lz4").getbuffer()
        try:
            self._file.seek(self._ends[-1])
            self._file.write(written)
        except OSError as error:
            # Not `gettempdir`: where there is no such folder at all, that raises once more.
            where = tempfile.tempdir or "any folder for temporary files"
            raise TryLater(
                f"The list of what is due cannot be kept in {where} ({error.strerror}). Make room there, or name "
                "another folder in the environment variable TMPDIR."
            ) from None
        self._ends.append(self._ends[-1] + len(written))
        self.height += frame.height

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Return the frames as they were put in; an empty one where there was none."""
        if not self.height:
            yield pl.DataFrame(schema=self.schema)
        for begin, end in zip(self._ends, self._ends[1:], strict=False):
            self._file.seek(begin)
            yield pl.read_ipc(BytesIO(self._file.read(end - begin)))


def parts(
    frames: Iterable[pl.DataFrame], rows: int, limit: int | None = None, first: int | None = None
) -> Iterator[pl.DataFrame]:
    """Cut frames anew: each part has as many ``rows``, but the last one and, where it is told, the ``first``.

    No more than ``limit`` of all are taken.
    """
    left, size = limit, first or rows
    waiting: list[pl.DataFrame] = []
    for frame in frames:
        taken = frame if left is None else frame.head(left)
        left = None if left is None else left - taken.height
        waiting.append(taken)
        while sum(part.height for part in waiting) >= size:
            whole = pl.concat(waiting)
            yield whole.head(size)
            waiting, size = [whole.slice(size)], rows
        if left == 0:
            break
    if any(part.height for part in waiting):
        yield pl.concat(waiting)
