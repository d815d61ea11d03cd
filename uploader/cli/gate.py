"""Put the quality gate between what is due and the first request."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from uploader import quality
from uploader.cli.console import errors
from uploader.cli.context import Context, output_folder
from uploader.errors import QualityGateFailed
from uploader.quality import LOOKED_INTO, MATCH_KEYS, Due
from uploader.warehouse import outbox
from uploader.warehouse.judged import read_judged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from uploader.delivery.planning import Plan
    from uploader.quality import Report
    from uploader.warehouse import Connection


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are due: all that the gate needs of the plans, so that these need not stay in memory.

    ``destinations`` are the names of those planned. ``keys`` names the rows due in the order in which they are to be
    sent: ``destination`` and ``event_key``. ``digests`` are theirs, per destination id: a verdict is bound to them.
    """

    destinations: Sequence[str]
    keys: pl.DataFrame
    digests: Mapping[str, pl.Series]

    @classmethod
    def of(cls, made: Sequence[Plan], keys: pl.DataFrame) -> Wanted:
        """Take from the plans what concerns ``keys`` (``destination`` and ``event_key``, and what else there is)."""
        named = keys.select("destination", "event_key")
        digests = {
            entry.target.destination_id: entry.due.join(named, on=named.columns, how="semi")["row_digest"]
            for entry in made
        }
        return cls([entry.target.name for entry in made], named, digests)

    def is_passed(self, context: Context) -> bool:
        """Say whether a passing verdict covers these very rows."""
        return quality.accepts(output_folder(), self.digests, context.settings.quality)


@dataclass(frozen=True, slots=True)
class Frames:
    """What the gate looks at: what it knows of the rows due; the window; each currency's history."""

    wanted: Wanted
    due: Due
    window: pl.DataFrame
    bands: pl.DataFrame

    @classmethod
    def of(cls, context: Context, connection: Connection, wanted: Wanted) -> Frames:
        """Read the rows due, and the window and the history of the destinations planned."""
        profile = context.profile
        with closing(read_judged(connection, profile, wanted.keys, LOOKED_INTO, MATCH_KEYS)) as parts:
            due = Due.gather(parts)
        window = outbox.read_window(connection, profile, wanted.destinations)
        as_of = outbox.read_as_of(connection, profile)
        if as_of is None:
            bands = pl.DataFrame(schema={"currency": pl.String, "median": pl.Float64, "rows": pl.Int64})
        else:
            bands = outbox.read_bands(connection, profile, as_of, context.settings.quality.history_days)
        return cls(wanted, due, window, bands)

    @classmethod
    def read(cls, context: Context, connection: Connection, made: Sequence[Plan], keys: pl.DataFrame) -> Frames:
        """Read what the gate looks at for these keys of the plans."""
        return cls.of(context, connection, Wanted.of(made, keys))


def unjudged(context: Context, connection: Connection, made: Sequence[Plan], keys: pl.DataFrame) -> Frames | None:
    """Read what the gate looks at, or nothing where a passing verdict covers these very rows."""
    wanted = Wanted.of(made, keys)
    return None if wanted.is_passed(context) else Frames.of(context, connection, wanted)


def judge(context: Context, frames: Frames) -> Report:
    """Judge the rows and leave the verdict and its reports in ``target/uploader``."""
    report = quality.judge(frames.due, frames.window, frames.bands, context.settings.quality, judged_at=context.clock())
    quality.write(report, output_folder(), frames.wanted.digests)
    return report


def require_passed(context: Context, _made: Sequence[Plan], frames: Frames) -> None:
    """Accept a passing verdict for these very rows, or judge them now; raise when the gate fails."""
    if frames.wanted.is_passed(context):
        return
    report = judge(context, frames)
    if not report.passed:
        errors.print(quality.table(report))
        raise QualityGateFailed(report.message)
