"""Outbox minus sent log: where each row stands, and so what is due. Pure; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.clock import microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY: Final = ["event_name", "event_id"]
_CLOCK_SLACK: Final = timedelta(minutes=5)
"""An intent that was stamped later than that was stamped by a wrong clock: nobody knows when it was made."""
_MICROSECOND: Final = timedelta(microseconds=1)
_IN_DOUBT: Final = (pl.col("state") == "intent").fill_null(value=False)
_IS_MOVED: Final = (pl.col("known_at") != pl.col("event_at").dt.epoch("us")).fill_null(value=False)


class Standing(StrEnum):
    """What a run has to do with one row."""

    ALREADY = "already"
    """It has a final state: nothing to do."""
    NEW = "new"
    """Send it."""
    RESEND = "resend"
    """In doubt, and the platform would still recognize it as the same event: send it again."""
    WAITING = "waiting"
    """Its time lies in the future."""
    EXPIRED = "expired"
    """The destination does not accept it any more, and it was never sent."""
    HELD = "held"
    """In doubt, and too late to send again."""
    SUPPRESSED = "suppressed"
    """It must not be sent any more, or not by us."""
    DEFERRED = "deferred"
    """In quarantine."""


class Lane(StrEnum):
    """Rows of two lanes never share a request; they go in this order."""

    RESEND = "resend"
    """In doubt: a new event must not share an old one's doubt."""
    URGENT = "urgent"
    """It expires within the hour."""
    NEW = "new"
    SUSPECT = "suspect"
    """Out of quarantine: its request was refused, and it may be the one to blame."""


LANES: Final = pl.Enum([lane.value for lane in Lane])


@dataclass(frozen=True, slots=True)
class Rules:
    """A destination's times.

    ``dedup`` is how long it recognizes a repeated event, and ``dedup_by_source`` where that differs by action
    source: None is not known, zero is never. Events of the sources in ``by_order`` it recognizes by their order and
    time: one without an order, or with another time than at its first try, may be counted as another event.
    """

    dedup: timedelta | None
    dedup_by_source: Mapping[str, timedelta | None] = field(default_factory=dict)
    by_order: frozenset[str] = frozenset()
    pixel_redundant: bool = False
    margin: timedelta = timedelta(hours=1)
    """Kept from the end of the dedup window."""
    unknown: timedelta = timedelta(minutes=15)
    """For how long to send again where nobody says what the platform recognizes."""
    expiry_margin: timedelta = timedelta(minutes=10)
    """Kept from the end of the accepted age: a request takes its time."""
    future: timedelta = timedelta(seconds=60)
    """How far in the future an event may lie."""

    def resend_for(self, action_source: str | None = None) -> timedelta:
        """Return for how long after its first try an event may be sent again and is still counted once."""
        window = self.dedup_by_source.get(action_source or "", self.dedup)
        return self.unknown if window is None else max(window - self.margin, timedelta())

    def resend_us(self) -> pl.Expr:
        """Return `resend_for` of each row in microseconds; zero where it would not be known for the same event."""
        by_source = {source: self.resend_for(source) // _MICROSECOND for source in self.dedup_by_source}
        usual = self.resend_for() // _MICROSECOND
        window = pl.col("action_source").replace_strict(by_source, default=usual, return_dtype=pl.Int64)
        is_other = pl.col("action_source").is_in(sorted(self.by_order)) & (pl.col("order_id").is_null() | _IS_MOVED)
        return pl.when(is_other).then(0).otherwise(window)


def standings(
    outbox: pl.DataFrame, states: pl.DataFrame, rules: Rules, now: datetime, begun_at: datetime
) -> pl.DataFrame:
    """Say where every row stands.

    ``outbox``: one destination's rows (columns as `uploader.warehouse.outbox.read_keys`). ``states``: the sent log's
    (columns as `uploader.ledger.reading.states`). ``now`` and ``begun_at`` are UTC without a zone, the latter since
    when it is known what became of this destination's events. Returns the rows that concern a run, with ``state``,
    ``standing``, ``standing_reason``, ``first_intent_at``, ``was_in_doubt``, ``quarantines`` and ``is_moved`` (its time
    is not what it was when it was sent); in-doubt keys without an outbox row come with a NULL ``event_key``.
    """
    # A row that may be sent goes before a held one with the same id (its repetition).
    ranked = outbox.filter(pl.col("event_id").is_not_null()).sort("is_sendable", descending=True, maintain_order=True)
    keyed = ranked.unique(KEY, keep="first", maintain_order=True)
    known = states.select(*KEY, "state", "first_intent_at", "not_before", "quarantines", "known_at")
    joined = keyed.join(known, on=KEY, how="left", maintain_order="left")
    gone = known.filter(pl.col("state") == "intent").join(keyed, on=KEY, how="anti")
    rows = pl.concat([joined, gone], how="diagonal_relaxed")

    parts = _standing(rules, now, begun_at).str.split_exact(":", 1)
    return rows.with_columns(
        parts.struct.field("field_0").alias("standing"),
        parts.struct.field("field_1").alias("standing_reason"),
        _IN_DOUBT.alias("was_in_doubt"),
        pl.when(_IN_DOUBT).then("first_intent_at").alias("first_intent_at"),
        _IS_MOVED.alias("is_moved"),
    ).filter(pl.col("standing").is_not_null())


def timed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the keys of rows with ``event_at`` in microseconds, as `uploader.ledger.reading.states_for` takes them."""
    return rows.select(*KEY, pl.col("event_at").dt.epoch("us").alias("event_at"))


def _standing(rules: Rules, now: datetime, begun_at: datetime) -> pl.Expr:
    """Return ``standing`` or ``standing:reason`` of a row; NULL for one that concerns no run. The first rule wins."""
    sendable = pl.col("is_sendable").fill_null(value=False)
    settled = pl.col("state").is_not_null() & ~pl.col("state").is_in(["intent", "released"])
    pixel_window = is_past_pixel_window(rules, now)
    never_again = rules.resend_us() == 0
    too_late = never_again | (pl.col("first_intent_at") + rules.resend_us() < microseconds(now)) | pixel_window
    from_the_future = pl.col("first_intent_at") > microseconds(now + _CLOCK_SLACK)
    quarantined = (pl.col("state") == "released") & (pl.col("not_before") > microseconds(now))
    expired = pl.col("expires_at") <= now + rules.expiry_margin
    expired_while_due = (pl.col("hold_reason") == "expired") & (pl.col("expires_at") >= begun_at)
    ahead = pl.col("event_at") > now + rules.future
    return (
        pl.when(settled)
        .then(pl.when(sendable).then(pl.lit("already")))
        .when(_IN_DOUBT & pl.col("event_key").is_null())
        .then(pl.lit("held:row_gone"))
        .when(_IN_DOUBT & ~sendable & (pl.col("hold_reason") != "expired"))
        .then(pl.format("suppressed:{}", pl.col("hold_reason")))
        .when(_IN_DOUBT & (expired | ~sendable))
        .then(pl.lit("held:expired"))
        .when(_IN_DOUBT & from_the_future)
        .then(pl.lit("held:wrong_clock"))
        .when(_IN_DOUBT & too_late)
        .then(pl.lit("held:past_dedup_window"))
        .when(_IN_DOUBT)
        .then(pl.lit("resend"))
        .when(sendable & expired | expired_while_due)
        .then(pl.lit("expired:expired"))
        .when(sendable & pixel_window)
        .then(pl.lit("suppressed:pixel_window"))
        .when(sendable & ahead)
        .then(pl.lit("waiting"))
        .when(sendable & quarantined)
        .then(pl.lit("deferred"))
        .when(sendable)
        .then(pl.lit("new"))
    )


def is_past_pixel_window(rules: Rules, now: datetime) -> pl.Expr:
    """Where the browser sends the same event, the platform's window began with that."""
    too_old = pl.col("event_at") < now - rules.resend_for("website")
    return pl.lit(rules.pixel_redundant) & (pl.col("action_source") == "website") & too_old


def due(rows: pl.DataFrame, rules: Rules, now: datetime) -> pl.DataFrame:
    """Return the rows to send, in order, with ``lane``, ``quarantines`` and ``resend_us`` (see `Rules.resend_us`)."""
    lane = (
        pl.when(pl.col("standing") == Standing.RESEND)
        .then(pl.lit(Lane.RESEND.value))
        .when(pl.col("quarantines") > 0)
        .then(pl.lit(Lane.SUSPECT.value))
        .when(pl.col("expires_at") <= now + timedelta(hours=1))
        .then(pl.lit(Lane.URGENT.value))
        .otherwise(pl.lit(Lane.NEW.value))
    )
    sendable = rows.filter(pl.col("standing").is_in([Standing.NEW, Standing.RESEND]))
    marked = sendable.with_columns(
        pl.col("quarantines").fill_null(0),
        lane.cast(LANES).alias("lane"),
        rules.resend_us().alias("resend_us"),
    )
    return marked.sort("lane", "event_at", "event_key")
