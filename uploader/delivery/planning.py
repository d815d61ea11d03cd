"""What a run would do: the outbox minus the sent log, per destination."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.clock import naive
from uploader.diff import KEY, Standing, due, standings
from uploader.errors import QualityGateFailed, TryLater
from uploader.ledger import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uploader.delivery.targets import Target
    from uploader.ledger import Ledger


SENT_LOG: Final = "sent_log:"
"""Begins the standing, in `standing_counts`, of rows that the sent log is done with; their state follows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One destination's rows with their standing (see `uploader.diff.standings`), and those due, in order."""

    target: Target
    rows: pl.DataFrame
    due: pl.DataFrame
    watch_from: datetime
    """From when on the next run must look for events that expired unsent, if this one ``looks_at_all``."""
    looks_at_all: bool = True

    @property
    def digests(self) -> pl.Series:
        """The digests of the rows due, to bind a verdict to them."""
        return self.due["row_digest"]


def watched_from(target: Target, ledger: Ledger | None, now: datetime) -> datetime:
    """Return since when an event that expired unsent is a loss that must be told, UTC without a zone.

    A rehearsal, and a destination that this log never served, lose nothing.
    """
    known = ledger.watched_from(target.destination_id) if ledger and not target.account.test_event_code else None
    return naive(known or now)


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
    _require_keys(mine.filter("is_sendable"))
    moment = naive(now)
    known = _known(mine, ledger, target.destination_id, moment)
    if ledger is not None and since is None:
        unfinished = reading.in_doubt(ledger, target.destination_id)
        known = pl.concat([known, unfinished]).unique(KEY, keep="first")
    else:
        # What was left out is not gone.
        known = known.join(mine, on=KEY, how="semi")
    rows = standings(mine, known, target.rules, moment, watched_from(target, ledger, now))
    as_of = outbox["as_of"].max()
    watch_from = as_of if isinstance(as_of, datetime) else moment
    return Plan(target, rows, due(rows, target.rules, moment), watch_from, looks_at_all=since is None)


def _require_keys(sendable: pl.DataFrame) -> None:
    """Raise where the outbox says that a row may be sent which delivery could not keep apart from others."""
    nameless = sendable.filter(pl.any_horizontal(pl.col("event_id", "event_at", "expires_at").is_null()))
    twice = sendable.filter(pl.struct(KEY).is_duplicated() | pl.col("event_key").is_duplicated())
    for bad, wrong in ((nameless, "have no event id or time"), (twice, "have the event id of another row")):
        if bad.height:
            shown = ", ".join(str(key) for key in bad["event_key"].head(3))
            raise QualityGateFailed(
                f"{bad.height} outbox rows are sendable although they {wrong} (e.g. {shown}). Nothing was sent. "
                "The models as shipped hold such rows: look at what was changed in them."
            )


def _known(outbox: pl.DataFrame, ledger: Ledger | None, destination_id: str, now: datetime) -> pl.DataFrame:
    """Return the states of the window of what may be sent, and of single keys outside of it.

    Those are keys whose event time was changed, so that the window alone does not show them, and keys that are
    held as expired: so the cost grows with the window, not with history.
    """
    sendable = outbox.filter("is_sendable")
    oldest = sendable["event_at"].min()
    known = reading.states(ledger, destination_id, oldest if isinstance(oldest, datetime) else now)
    asked = pl.concat([sendable, outbox.filter(pl.col("hold_reason") == "expired")]).join(known, on=KEY, how="anti")
    found = reading.states_of(ledger, destination_id, asked["event_id"].drop_nulls().unique().to_list())
    return pl.concat([known, found.join(known, on=KEY, how="anti").join(asked, on=KEY, how="semi")])


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
            .when(pl.col("standing") == Standing.HELD)
            .then(pl.lit("in_doubt_too_late"))
            .when(pl.col("standing") == Standing.ALREADY)
            .then(pl.format(f"{SENT_LOG}{{}}", "state"))
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
