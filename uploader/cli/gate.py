"""Put the quality gate between what is due and the first request."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from uploader import quality
from uploader.cli.console import errors
from uploader.cli.context import Context, output_folder
from uploader.delivery.planning import PART_ROWS
from uploader.errors import QualityGateFailed
from uploader.events import OUTBOX
from uploader.quality import LOOKED_INTO, MATCH_KEYS, Due
from uploader.warehouse import outbox
from uploader.warehouse.judged import read_judged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uploader.delivery.planning import Plan
    from uploader.quality import Report
    from uploader.warehouse import Connection


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are to be judged: of each of the plans those due, at most ``limit``, in the order to send them."""

    made: Sequence[Plan]
    limit: int | None = None

    @property
    def destinations(self) -> list[str]:
        """The names of the destinations planned."""
        return [entry.target.name for entry in self.made]

    @property
    def keys(self) -> pl.DataFrame:
        """What names the rows: ``destination`` and ``event_key``."""
        named = {name: OUTBOX[name] for name in ("destination", "event_key")}
        found = [part.select(*named) for entry in self.made for part in self._parts(entry)]
        return pl.concat([pl.DataFrame(schema=named), *found])

    @property
    def digests(self) -> dict[str, pl.DataFrame]:
        """The rows' digests per destination id: a verdict is bound to them."""
        none = pl.DataFrame(schema={"key_digest": pl.UInt64, "row_digest": pl.UInt32})
        return {
            entry.target.destination_id: pl.concat(
                [none, *(part.select(quality.KEY_DIGEST, "row_digest") for part in self._parts(entry))]
            )
            for entry in self.made
        }

    def is_passed(self, context: Context) -> bool:
        """Say whether a passing verdict covers these very rows."""
        passed = quality.Passed.read(output_folder(), context.settings.quality)
        return passed is not None and all(
            passed.covers(entry.target.destination_id, part) for entry in self.made for part in self._parts(entry)
        )

    def _parts(self, entry: Plan) -> Iterator[pl.DataFrame]:
        return entry.queue(PART_ROWS, self.limit)


@dataclass(frozen=True, slots=True)
class Frames:
    """What the gate looks at: what it knows of the rows due; the window; each currency's history; and where."""

    wanted: Wanted
    due: Due
    window: pl.DataFrame
    bands: pl.DataFrame
    warehouse: str
    """Its state; see `uploader.warehouse.outbox.state`."""

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
        return cls(wanted, due, window, bands, outbox.state(connection, profile))


def unjudged(context: Context, connection: Connection, wanted: Wanted) -> Frames | None:
    """Read what the gate looks at, or nothing where a passing verdict covers these very rows."""
    return None if wanted.is_passed(context) else Frames.of(context, connection, wanted)


def judge(context: Context, frames: Frames) -> Report:
    """Judge the rows and leave the verdict and its reports in ``target/uploader``."""
    report = quality.judge(frames.due, frames.window, frames.bands, context.settings.quality, judged_at=context.clock())
    quality.write(report, output_folder(), quality.Judged(frames.wanted.digests, frames.warehouse))
    return report


def require_passed(context: Context, frames: Frames) -> None:
    """Accept a passing verdict for these very rows, or judge them now; raise when the gate fails."""
    if frames.wanted.is_passed(context):
        return
    report = judge(context, frames)
    if not report.passed:
        errors.print(quality.table(report))
        raise QualityGateFailed(report.message)
