"""What a run would do: the outbox minus the sent log, per destination."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl

from uploader.clock import naive
from uploader.diff import KEY, LANES, Lane, Standing, due, standings, timed
from uploader.errors import QualityGateFailed, TryLater
from uploader.events import EVENTS, OUTBOX
from uploader.ledger import reading
from uploader.ledger.states import empty_states
from uploader.spool import Spool, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from uploader.delivery.targets import Target
    from uploader.ledger import Ledger

    DigestsOf: TypeAlias = Callable[[str, pl.DataFrame], pl.Series]


SENT_LOG: Final = "sent_log:"
"""Begins the standing, in `standing_counts`, of rows that the sent log is done with; their state follows."""


PART_ROWS: Final = 10_000
"""How many whole rows are read at a time; a few such parts are in memory at once."""
FIRST_BATCHES: Final = 4
"""How many are read before the first request: it need not wait for more, and meanwhile the next rows are made ready."""
MARKS: Final = ("first_intent_at", "lane", "quarantines", "resend_us")
"""What sending must know of a row beside its columns; see `uploader.diff.due`."""
_ROW: Final = ["event_key", *KEY, "event_at", "is_sendable"]
_READ: Final = pl.Schema({**EVENTS, **OUTBOX})
_STANDING: Final = pl.Schema(
    {
        **{name: _READ[name] for name in ("destination", "event_key", *KEY, "event_at", "expires_at", "is_sendable")},
        **{name: _READ[name] for name in ("value", "currency")},
        **dict.fromkeys(("state", "standing", "standing_reason"), pl.String()),
        **dict.fromkeys(("was_in_doubt", "is_moved"), pl.Boolean()),
    }
)
_DUE: Final = pl.Schema(
    {
        **{name: _READ[name] for name in ("destination", "event_key", "event_at")},
        "row_digest": pl.UInt32(),
        "first_intent_at": pl.Int64(),
        "lane": LANES,
        **dict.fromkeys(("quarantines", "resend_us"), pl.Int64()),
    }
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One destination's rows with their standing (see `uploader.diff.standings`), and those due, in order.

    Neither is in memory. ``standing`` holds the rows in frames, ``lanes`` those that are due, by `Lane`.
    """

    target: Target
    standing: Spool
    lanes: Mapping[Lane, Spool]
    oldest_due: datetime | None
    watch_from: datetime
    """From when on the next run must look for events that expired unsent, if this one ``looks_at_all``."""
    looks_at_all: bool = True

    @property
    def height(self) -> int:
        """How many rows are due."""
        return sum(lane.height for lane in self.lanes.values())

    def queue(self, rows: int, limit: int | None = None, first: int | None = None) -> Iterator[pl.DataFrame]:
        """Return what is due in the order to send it, at most ``limit``, in parts of ``rows`` (``first`` in the first).

        Columns: ``destination, event_key, event_at, row_digest``, and `MARKS` (``first_intent_at`` in microseconds,
        NULL for an event that is not in doubt).
        """
        return parts(chain.from_iterable(self.lanes[lane] for lane in Lane), rows, limit, first)


def watched_from(target: Target, ledger: Ledger | None, now: datetime) -> datetime:
    """Return since when an event that expired unsent is a loss that must be told, UTC without a zone.

    A rehearsal, and a destination that this log never served, lose nothing.
    """
    known = ledger.watched_from(target.destination_id) if ledger and not target.account.test_event_code else None
    return naive(known or now)


class Planner:
    """Compares one destination's outbox rows with the sent log, a part of the rows after the other.

    The parts come in the order of time; rows that share key and time are in one part. ``strays`` are those of all parts
    that cannot be judged by themselves, as `uploader.warehouse.window.read_strays` returns them. ``since`` (aware)
    leaves older events out. Raises `QualityGateFailed` for rows that could not be kept apart.
    """

    def __init__(
        self, target: Target, strays: pl.DataFrame, ledger: Ledger | None, now: datetime, since: datetime | None = None
    ) -> None:
        self._target, self._since = target, since
        self._now, self._begun_at = naive(now), watched_from(target, ledger, now)
        self._as_of: datetime | None = None
        self._oldest: datetime | None = None
        self._standing = Spool(_STANDING)
        self._lanes = {lane: Spool(_DUE) for lane in Lane}
        self._states = reading.Successive(ledger, target.destination_id)
        self._in_doubt = reading.in_doubt(ledger, target.destination_id) if ledger else empty_states()
        self._unseen = self._in_doubt
        mine = self._mine(strays)
        _require_keys(mine.filter("is_sendable"))
        self._repeated = _repeated(mine)

    def add(self, outbox: pl.DataFrame, digests: DigestsOf | None = None) -> None:
        """Judge a part of the rows (columns as `uploader.warehouse.outbox.read_keys`).

        ``digests`` returns the ``row_digest`` of those that are due, as `uploader.warehouse.outbox.read_digests` does.
        """
        as_of = outbox["as_of"].max()
        if isinstance(as_of, datetime):
            self._as_of = max(as_of, self._as_of or as_of)
        mine = self._mine(outbox)
        self._unseen = self._unseen.join(mine, on=KEY, how="anti")
        mine = mine.join(self._repeated, on=_ROW, how="anti", nulls_equal=True)
        in_doubt = self._in_doubt.join(mine, on=KEY, how="semi")
        asked = mine.filter(pl.col("is_sendable") | (pl.col("hold_reason") == "expired").fill_null(value=False))
        known = pl.concat([self._states.of(timed(asked)), in_doubt]).unique(KEY, keep="first")
        self._keep(mine, known, digests)

    def finish(self) -> Plan:
        """Return the plan, once all rows were added: what is in doubt and was not among them is gone."""
        if self._since is None:
            self._keep(pl.DataFrame(schema=_READ), self._unseen, None)
        watch_from = self._as_of or self._now
        looks_at_all = self._since is None
        return Plan(self._target, self._standing, self._lanes, self._oldest, watch_from, looks_at_all=looks_at_all)

    def _mine(self, rows: pl.DataFrame) -> pl.DataFrame:
        mine = rows.filter(pl.col("destination") == self._target.name)
        return mine if self._since is None else mine.filter(pl.col("event_at") >= naive(self._since))

    def _keep(self, outbox: pl.DataFrame, known: pl.DataFrame, digests: DigestsOf | None) -> None:
        rows = standings(outbox, known, self._target.rules, self._now, self._begun_at)
        self._standing.put(rows)
        found = due(rows, self._target.rules, self._now)
        digest = digests(self._target.destination_id, found) if digests and found.height else pl.lit(None, pl.UInt32)
        found = found.with_columns(digest.alias("row_digest"))
        for (lane,), part in found.partition_by("lane", as_dict=True).items():
            self._lanes[Lane(str(lane))].put(part)
        oldest = found["event_at"].min()
        if isinstance(oldest, datetime):
            self._oldest = min(oldest, self._oldest or oldest)


def _repeated(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that another one with the same id goes before: one that may be sent, or else the first."""
    ranked = rows.filter(pl.col("event_id").is_not_null()).sort("is_sendable", descending=True, maintain_order=True)
    first = ranked.unique(KEY, keep="first", maintain_order=True)
    return ranked.join(first, on=_ROW, how="anti", nulls_equal=True).select(_ROW)


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
    groups = ["destination", "event_name", "standing", "currency"]
    sums = [
        _told(rows).group_by(groups).agg(pl.len().alias("rows"), pl.col("value").sum())
        for entry in plans
        for rows in entry.standing
    ]
    return pl.concat(sums).group_by(groups).agg(pl.col("rows", "value").sum()).sort(groups) if sums else pl.DataFrame()


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    standing = (
        pl.when(pl.col("standing").is_in([Standing.NEW, Standing.RESEND]))
        .then(pl.lit("due"))
        .when(pl.col("standing") == Standing.HELD)
        .then(pl.lit("in_doubt_too_late"))
        .when(pl.col("standing") == Standing.ALREADY)
        .then(pl.format(f"{SENT_LOG}{{}}", "state"))
        .otherwise("standing")
    )
    return rows.filter(pl.col("event_key").is_not_null() & pl.col("is_sendable")).with_columns(standing=standing)
