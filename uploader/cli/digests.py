"""The digests of rows due: read, or known from the last check, where the warehouse is as it was then.

To find a row's digest out is as dear as to read the row.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from uploader.cli.context import Context, output_folder
from uploader.warehouse import outbox

if TYPE_CHECKING:
    import polars as pl

    from uploader.quality import Passed
    from uploader.warehouse import Connection


class Digests:
    """Digests of rows due; ``may_be_known`` unless they are wanted for a verdict of their own."""

    def __init__(self, context: Context, connection: Connection, *, may_be_known: bool) -> None:
        self._context, self._connection, self._may_be_known = context, connection, may_be_known

    def of(self, destination_id: str, keys: pl.DataFrame) -> pl.Series:
        """Return the ``row_digest`` of rows, as `uploader.warehouse.outbox.read_digests` does."""
        known = self._passed.digests(destination_id, keys["event_key"]) if self._passed else None
        if known is not None and not known.null_count():
            return known
        return outbox.read_digests(self._connection, self._context.profile, keys)

    @cached_property
    def _passed(self) -> Passed | None:
        if not self._may_be_known:
            return None
        from uploader import quality  # a run with nothing new starts faster without

        passed = quality.Passed.read(output_folder(), self._context.settings.quality)
        state = outbox.state(self._connection, self._context.profile)
        return passed if passed and state and passed.warehouse == state else None
