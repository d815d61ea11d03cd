"""Put the quality gate between what is due and the first request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from uploader import quality
from uploader.cli.context import Context, errors, output_folder
from uploader.errors import QualityGateFailed
from uploader.warehouse import outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uploader.delivery.planning import Plan
    from uploader.quality import Report
    from uploader.warehouse import Connection


@dataclass(frozen=True, slots=True)
class Frames:
    """What the gate looks at: the rows due, whole; the window; each currency's history."""

    due: pl.DataFrame
    window: pl.DataFrame
    bands: pl.DataFrame

    @classmethod
    def read(cls, context: Context, connection: Connection, made: Sequence[Plan], due: pl.DataFrame) -> Frames:
        """Read the window and the history of the destinations planned."""
        names = [entry.target.name for entry in made]
        window = outbox.read_window(connection, context.profile).filter(pl.col("destination").is_in(names))
        as_of = outbox.read_as_of(connection, context.profile)
        days = context.settings.quality.history_days
        if as_of is None:
            bands = pl.DataFrame(schema={"currency": pl.String, "median": pl.Float64, "rows": pl.Int64})
        else:
            bands = outbox.read_bands(connection, context.profile, as_of, days)
        return cls(due, window, bands)


def judge(context: Context, made: Sequence[Plan], frames: Frames) -> Report:
    """Judge the rows and leave the verdict and its reports in ``target/uploader``."""
    report = quality.judge(frames.due, frames.window, frames.bands, context.settings.quality, judged_at=context.clock())
    quality.write(report, output_folder(), digests(made, frames.due))
    return report


def digests(made: Sequence[Plan], due: pl.DataFrame) -> dict[str, pl.Series]:
    """Return the digests of the rows due, per destination id, as far as they are among ``due``."""
    return {
        entry.target.destination_id: entry.due.join(
            due.select("destination", "event_key"), on=["destination", "event_key"], how="semi"
        )["row_digest"]
        for entry in made
    }


def require_passed(context: Context, made: Sequence[Plan], frames: Frames) -> None:
    """Accept a passing verdict for these very rows, or judge them now; raise when the gate fails."""
    if quality.accepts(output_folder(), digests(made, frames.due), context.settings.quality):
        return
    report = judge(context, made, frames)
    if not report.passed:
        errors.print(quality.table(report))
        raise QualityGateFailed(report.message)
