"""What a run would do: the outbox minus the sent log, per destination."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from uploader.clock import naive
from uploader.diff import KEY, Standing, due, standings
from uploader.errors import TryLater
from uploader.ledger import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uploader.delivery.targets import Target
    from uploader.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Plan:
    """One destination's rows with their standing (see `uploader.diff.standings`), and those due, in order."""

    target: Target
    rows: pl.DataFrame
    due: pl.DataFrame

    @property
    def digests(self) -> pl.Series:
        """The digests of the rows due, to bind a verdict to them."""
        return self.due["row_digest"]


def begun_at(ledger: Ledger | None, now: datetime) -> datetime:
    """Return when the sent log began, UTC without a zone; now, where there is none."""
    if ledger is None:
        return naive(now)
    return datetime.fromtimestamp(ledger.begun_at / 1_000_000, UTC).replace(tzinfo=None)


def plan(
    target: Target,
    outbox: pl.DataFrame,
    ledger: Ledger | None,
    now: datetime,
    since: datetime | None = None,
) -> Plan:
    """Compare one destination's outbox rows with the sent log. ``since`` (aware) leaves older events out."""
    mine = outbox.filter(pl.col("destination") == target.name)
    if since is not None:
        mine = mine.filter(pl.col("event_at") >= naive(since))
    moment = naive(now)
    oldest = mine["event_at"].min()
    cut = oldest if isinstance(oldest, datetime) else moment
    known = reading.states(ledger, target.destination_id, cut)
    if ledger is not None:
        if since is None:
            unfinished = reading.in_doubt(ledger, target.destination_id)
            known = pl.concat([known, unfinished]).unique(KEY, keep="first")
        else:
            # What was left out is not gone.
            known = known.join(mine, on=KEY, how="semi")
        known = pl.concat([known, _moved(mine, known, ledger, target.destination_id)])
    rows = standings(mine, known, target.rules, moment, begun_at(ledger, now))
    return Plan(target, rows, due(rows, moment))


def _moved(outbox: pl.DataFrame, known: pl.DataFrame, ledger: Ledger, destination_id: str) -> pl.DataFrame:
    """Return the states of keys whose event time was changed, so that the window alone does not show them."""
    unknown = outbox.filter(pl.col("is_sendable")).join(known, on=KEY, how="anti")
    found = reading.states_of(ledger, destination_id, unknown["event_id"].unique().to_list())
    return found.join(known, on=KEY, how="anti").join(unknown, on=KEY, how="semi")


def check_freshness(as_of: datetime | None, now: datetime, max_age_hours: float) -> None:
    """Raise `TryLater` when the outbox was decided too long ago to be acted upon."""
    if as_of is None:
        return
    age = naive(now) - as_of
    if age > timedelta(hours=max_age_hours):
        hours = age.total_seconds() / 3600
        raise TryLater(
            f"The outbox was built {hours:.0f} hours ago (as of {as_of:%Y-%m-%d %H:%M} UTC), and at most "
            f"{max_age_hours:g} are allowed (delivery.max_outbox_age_hours). Run `dbt build`, then send again."
        )


def standing_counts(plans: Sequence[Plan]) -> pl.DataFrame:
    """Return ``destination``, ``event_name``, ``standing``, ``currency``, ``rows`` and ``value`` over plans."""
    frames = [
        entry.rows.filter(pl.col("event_key").is_not_null() & pl.col("is_sendable")).select(
            "destination",
            "event_name",
            pl.when(pl.col("standing").is_in([Standing.NEW, Standing.RESEND]))
            .then(pl.lit("due"))
            .otherwise("standing")
            .alias("standing"),
            "currency",
            "value",
        )
        for entry in plans
    ]
    if not frames:
        return pl.DataFrame()
    groups = ["destination", "event_name", "standing", "currency"]
    return pl.concat(frames).group_by(groups).agg(pl.len().alias("rows"), pl.col("value").sum()).sort(groups)
