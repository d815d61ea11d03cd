"""What is said of rows without a request: whether they may be sent now, and what stands in the sent log of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from uploader.clock import microseconds, naive
from uploader.diff import KEY, is_past_pixel_window
from uploader.ledger import reading

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.diff import Rules
    from uploader.ledger import Ledger, State


def plain_until(rules: Rules) -> pl.Expr:
    """Until when (microseconds) a row is certainly in time: before that, `in_time` need not look at it."""
    by_pixel = pl.lit(rules.pixel_redundant) & (pl.col("action_source") == "website")
    return pl.min_horizontal(
        (pl.col("expires_at") - rules.expiry_margin).dt.epoch("us").fill_null(0),
        pl.col("first_intent_at") + pl.col("resend_us"),
        pl.when(by_pixel).then((pl.col("event_at") + rules.resend_for("website")).dt.epoch("us")),
    ).alias("plain_until")


def in_time(batch: pl.DataFrame, rules: Rules, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that may be sent now, and those that became too old; what else is left is for a later run."""
    earliest = batch["plain_until"].min()
    if isinstance(earliest, int) and microseconds(now) < earliest:
        return batch, batch.clear()  # as nearly always, and no row is looked at
    overdue = (pl.col("first_intent_at") + pl.col("resend_us") < microseconds(now)).fill_null(value=False)
    late = pl.col("expires_at") <= naive(now) + rules.expiry_margin
    past_pixel = is_past_pixel_window(rules, naive(now))
    known = batch.filter(~overdue & ~past_pixel)
    return known.filter(~late), known.filter(late)


def resend_until(batch: pl.DataFrame, now: int) -> int:
    """Return until when every row may be sent a second time, if its first try is not later than ``now``.

    All in microseconds.
    """
    if batch["first_intent_at"].null_count() == batch.height:
        return now + int(min(batch["resend_us"]))  # as nearly always, and without Polars' threads, which are busy
    return int(batch.select((pl.col("first_intent_at").fill_null(now) + pl.col("resend_us")).min()).item())


def intended(batch: pl.DataFrame) -> pl.DataFrame:
    """Return of a batch's rows what their intent says; see `uploader.ledger.Intent`."""
    told = batch[[*KEY, "event_us", "first_intent_at", "consent_us", "payload_hash", "fields"]]
    told.columns = [*KEY, "event_at", "first_intent_at", "consent_at", "payload_hash", "fields"]
    return told


def record(ledger: Ledger, destination_id: str, rows: pl.DataFrame, state: State, reason: str) -> None:
    """Record a verdict on rows; with ``not_before`` (microseconds) and ``batch_id`` where they have it."""
    keys = rows.select(
        *KEY,
        pl.col("event_at").dt.epoch("us").alias("event_at"),
        pl.lit(reason).alias("reason"),
        pl.col("first_intent_at").is_not_null().alias("was_in_doubt"),
        *(name for name in ("not_before", "batch_id") if name in rows.columns),
    )
    ledger.judge(destination_id, keys, state)


def changed(ledger: Ledger, destination_id: str, events: pl.DataFrame) -> int:
    """Count the events that are not what they were at their first try: the platform keeps one of the two."""
    before = reading.payload_hashes(ledger, destination_id, events["event_id"].to_list())
    both = events.join(before, on=KEY, suffix="_before")
    return both.filter(pl.col("payload_hash") != pl.col("payload_hash_before")).height
