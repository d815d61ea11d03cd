"""Put the quality gate between what is due and the first request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from uploader import quality
from uploader.cli.context import Context, errors, output_folder
from uploader.errors import QualityGateFailed
from uploader.quality import LOOKED_INTO, Due
from uploader.warehouse import outbox
from uploader.warehouse.judged import read_judged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from uploader.delivery.planning import Plan
    from uploader.quality import Report
    from uploader.warehouse import Connection


@dataclass(frozen=True, slots=True)
class Frames:
    """What the gate looks at: what it knows of the rows due; the window; each currency's history.

    ``digests`` are those of the rows due, per destination id: the verdict is bound to them.
    """

    due: Due
    window: pl.DataFrame
    bands: pl.DataFrame
    digests: Mapping[str, pl.Series]

    @classmethod
    def read(cls, context: Context, connection: Connection, made: Sequence[Plan], keys: pl.DataFrame) -> Frames:
        """Read the rows due, and the window and the history of the destinations planned.

        ``keys`` names the rows due in the order in which they are to be sent: ``destination`` and ``event_key``.
        """
        bound = digests(made, keys)
        due = Due.gather(read_judged(connection, context.profile, keys, LOOKED_INTO))
        window = outbox.read_window(connection, context.profile, [entry.target.name for entry in made])
        as_of = outbox.read_as_of(connection, context.profile)
        days = context.settings.quality.history_days
        if as_of is None:
            bands = pl.DataFrame(schema={"currency": pl.String, "median": pl.Float64, "rows": pl.Int64})
        else:
            bands = outbox.read_bands(connection, context.profile, as_of, days)
        return cls(due, window, bands, bound)


def judge(context: Context, frames: Frames) -> Report:
    """Judge the rows and leave the verdict and its reports in ``target/uploader``."""
    report = quality.judge(frames.due, frames.window, frames.bands, context.settings.quality, judged_at=context.clock())
    quality.write(report, output_folder(), frames.digests)
    return report


def digests(made: Sequence[Plan], keys: pl.DataFrame) -> dict[str, pl.Series]:
    """Return the digests of the rows due, per destination id, as far as they are among ``keys``."""
    wanted = keys.select("destination", "event_key")
    return {
        entry.target.destination_id: entry.due.join(wanted, on=["destination", "event_key"], how="semi")["row_digest"]
        for entry in made
    }


def unjudged(context: Context, connection: Connection, made: Sequence[Plan], keys: pl.DataFrame) -> Frames | None:
    """Read what the gate looks at (see `Frames.read`), or nothing where a passing verdict covers these very rows."""
    if quality.accepts(output_folder(), digests(made, keys), context.settings.quality):
        return None
    return Frames.read(context, connection, made, keys)


def require_passed(context: Context, made: Sequence[Plan], frames: Frames) -> None:  # noqa: ARG001
    """Accept a passing verdict for these very rows, or judge them now; raise when the gate fails."""
    if quality.accepts(output_folder(), frames.digests, context.settings.quality):
        return
    report = judge(context, frames)
    if not report.passed:
        errors.print(quality.table(report))
        raise QualityGateFailed(report.message)
