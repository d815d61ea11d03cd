"""The shares that may reach a limit: rates over the rows of the sendable window, each destination by itself.

One event has one row per destination, so a rate over all of them together would let a good destination
hide a bad one. Held rows are judged too, with exceptions. A row that the outbox already holds as
``duplicate_event_id`` is no duplicate that could be sent. What is ``not_routed`` was never meant to go there, and a
destination that is switched off (it has rows held as ``destination_disabled``) is not judged at all: the caller leaves
both out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl

from uploader.events import IDENTIFIERS
from uploader.quality.report import EXAMPLES, shown_key

if TYPE_CHECKING:
    from uploader.settings import QualitySettings

FEWEST_FOR_A_BAND: Final = 30
"""A currency with fewer rows of history has no band."""
FURTHEST_AHEAD: Final = timedelta(days=366)
MOST_AHEAD: Final = 0.5
"""One mistyped date must not stop a shop. Most dates a year ahead mean a wrong unit, or a wrong clock."""
LONGEST_GAP: Final = timedelta(days=3660)

REPEATED_BY_PEOPLE: Final = frozenset(
    {"PageView", "ViewContent", "Search", "AddToCart", "AddToWishlist", "InitiateCheckout", "AddPaymentInfo"}
)
"""What one person does twice within minutes without any mistake."""

MATCH_KEYS: Final = (
    *IDENTIFIERS,
    *("client_ip", "fbp", "fbc", "ga_client_id", "gclid", "gbraid", "wbraid", "ttclid", "sc_cid", "epik", "rdt_cid"),
    *("li_fat_id", "msclkid", "twclid", "email_sha256s", "phone_digits_sha256s", "lead_id", "madid", "anon_id"),
    *("page_scoped_user_id", "ctwa_clid", "ig_sid"),
)
"""The columns of which a platform needs at least one to find the person."""

_MONEY: Final = pl.Decimal(38, 4)
_CENT: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Batch:
    """What there is to judge. ``judged_at`` is UTC without a zone, like the times of the rows."""

    due: pl.DataFrame
    window: pl.DataFrame
    bands: pl.DataFrame
    thresholds: QualitySettings
    judged_at: datetime


Flags: TypeAlias = Callable[[Batch], pl.DataFrame]
"""Computes ``destination``, ``event_key`` and ``flag`` (true: counts against the limit; NULL: not judged)."""


@dataclass(frozen=True, slots=True)
class ShareRule:
    """One limit: the highest share of flagged rows, in any destination."""

    column: str
    name: str
    flags: Flags
    limit: Callable[[QualitySettings], float]
    advice: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A share, measured per destination, and its worst destination."""

    rates: dict[str, float]
    where: str | None
    judged: int
    unexpected: int
    examples: tuple[str, ...]

    @property
    def observed(self) -> float | None:
        """The share in the worst destination; None where there was nothing to judge."""
        return self.unexpected / self.judged if self.judged else None


def measure(rule: ShareRule, batch: Batch) -> Measure:
    """Count the flagged rows per destination."""
    flags = rule.flags(batch).drop_nulls("flag")
    counts = (
        flags.group_by("destination")
        .agg(judged=pl.len(), unexpected=pl.col("flag").sum())
        .with_columns(rate=pl.col("unexpected") / pl.col("judged"))
        .sort(["rate", "destination"], descending=[True, False])
    )
    if counts.is_empty():
        return Measure({}, None, 0, 0, ())
    where, judged, unexpected, _ = counts.row(0)
    wrong = flags.filter(pl.col("flag") & (pl.col("destination") == where)).head(EXAMPLES)
    rates = dict(zip(counts["destination"].to_list(), counts["rate"].to_list(), strict=True))
    return Measure(rates, where, judged, unexpected, tuple(wrong.select(shown_key()).to_series().to_list()))


def _flagged(rows: pl.DataFrame, flag: pl.Expr) -> pl.DataFrame:
    return rows.select("destination", "event_key", flag=flag)


def _again(rows: pl.DataFrame) -> pl.DataFrame:
    """Flag each row after the first with the same destination, event name and event id."""
    same = ["destination", "event_name", "event_id"]
    again = pl.struct(same).is_first_distinct().not_()
    ordered = rows.select(*same, "event_at", "event_key").sort("event_at", "event_key")
    return _flagged(ordered, pl.when(pl.col("event_id").is_not_null()).then(again))


def _countable(batch: Batch) -> pl.DataFrame:
    # Of two rows of one id, both of a person who is forgotten, none is sent.
    held = pl.col("hold_reason").is_in(["duplicate_event_id", "suppressed"]).fill_null(value=False)
    return batch.window.filter(held.not_())


def repeated_ids_due(batch: Batch) -> pl.DataFrame:
    """Flag rows due that repeat another one's event id."""
    return _again(batch.due)


def repeated_ids(batch: Batch) -> pl.DataFrame:
    """Flag rows of the window that repeat another one's event id and are not held for it."""
    return _again(_countable(batch))


def likely_duplicates(batch: Batch) -> pl.DataFrame:
    """Flag rows that follow another one of the same customer, value and currency closely.

    Compared are events of one name, but those that people repeat (`REPEATED_BY_PEOPLE`). Rows without a customer,
    value, currency or time are not judged.
    """
    same = ["destination", "event_name", "external_id_sha256", "currency", "value"]
    minutes = min(batch.thresholds.duplicate_window_minutes, LONGEST_GAP / timedelta(minutes=1))
    judged = _countable(batch).filter(pl.col("event_name").is_in(REPEATED_BY_PEOPLE).not_())
    rows = judged.select(*same, "event_at", "event_key").drop_nulls([*same, "event_at"])
    # Most rows have no like, and need no place beside it: sorting them all is what would cost most.
    alike = rows.select(pl.struct(same).is_duplicated()).to_series()
    alone = _flagged(rows.filter(~alike), pl.lit(False))
    rows = rows.filter(alike).sort([*same, "event_at", "event_key"])
    follows = pl.all_horizontal(pl.col(column) == pl.col(column).shift() for column in same)
    close = pl.col("event_at") - pl.col("event_at").shift() <= timedelta(minutes=minutes)
    return pl.concat([_flagged(rows, (follows & close).fill_null(value=False)), alone])


def without_match_key(batch: Batch) -> pl.DataFrame:
    """Flag rows held as ``no_match_key``, and rows due that carry none of `MATCH_KEYS`.

    Judged are the rows that came so far: sendable ones, and those held for this or a later reason. Left out are the
    destinations of which the seed says that only some events have a key.
    """
    window, due = batch.window, batch.due
    if "expects_match" in window.columns:
        others = window.filter(~pl.col("expects_match"))
        window, due = (rows.join(others, on="destination", how="anti") for rows in (window, due))
    reason, row = pl.col("hold_reason"), ["destination", "event_key"]
    came_so_far = pl.col("is_sendable") | reason.is_in(["no_match_key", "expired", "waiting_period"])
    bare = due.filter(pl.all_horizontal(pl.col(column).is_null() for column in MATCH_KEYS)).select(row)
    judged = pl.concat(
        [
            window.filter(came_so_far).select(*row, flag=(reason == "no_match_key").fill_null(value=False)),
            due.join(window, on=row, how="anti").select(*row, flag=pl.lit(False)),
        ]
    )
    return judged.join(bare.unique().with_columns(is_bare=True), on=row, how="left").select(
        *row, flag=pl.col("flag") | pl.col("is_bare").fill_null(value=False)
    )


def pixel_duplicates(batch: Batch) -> pl.DataFrame:
    """Flag sendable rows that the browser's pixel reported under another id or name.

    Judged are, in each destination, the rows of the event with the highest share: page views are many, and would hide
    that every purchase is counted twice.
    """
    share = pl.col("has_pixel_duplicate").mean().over("destination", "event_name")
    rows = batch.window.filter("is_sendable").drop_nulls("has_pixel_duplicate").with_columns(share=share)
    ranked = rows.sort("share", "event_name", descending=[True, False])
    worst = pl.col("event_name") == pl.col("event_name").first().over("destination")
    return _flagged(ranked.filter(worst).sort("event_at", "event_key"), pl.col("has_pixel_duplicate"))


def zero_values(batch: Batch) -> pl.DataFrame:
    """Flag rows whose value is zero. Rows without a value are not judged."""
    return _flagged(batch.window, pl.col("value") == 0)


def outliers(batch: Batch) -> pl.DataFrame:
    """Flag values outside of their currency's band: its median divided by, and times, the factor.

    Zero values, and currencies with less than `FEWEST_FOR_A_BAND` rows of history, are not judged.
    """
    value = pl.col("value").cast(_MONEY, strict=False)
    rows = batch.window.join(_bounds(batch.bands, batch.thresholds.value_band_factor), on="currency")
    outside = (value < pl.col("lowest")) | (value > pl.col("highest"))
    return _flagged(rows, pl.when(value != 0).then(outside))


def _bounds(bands: pl.DataFrame, factor: float) -> pl.DataFrame:
    """Compute the band of each currency that has one, exactly, in decimals."""
    rows = []
    for currency, median, count in bands.select("currency", "median", "rows").iter_rows():
        if median is None or not math.isfinite(median) or median <= 0 or (count or 0) < FEWEST_FOR_A_BAND:
            continue
        middle, times = Decimal(str(median)), Decimal(str(factor))
        try:
            lowest = (middle / times).quantize(_CENT, ROUND_CEILING)
            highest = (middle * times).quantize(_CENT, ROUND_FLOOR)
        except InvalidOperation:  # beyond every amount of money
            continue
        rows.append((currency, lowest, highest))
    return pl.DataFrame(rows, schema={"currency": pl.String, "lowest": _MONEY, "highest": _MONEY}, orient="row")


def far_ahead(batch: Batch) -> pl.DataFrame:
    """Flag events that lie more than a year ahead. Rows without a time are not judged."""
    return _flagged(batch.window, pl.col("event_at") > batch.judged_at + FURTHEST_AHEAD)


SHARE_RULES: Final[tuple[ShareRule, ...]] = (
    ShareRule(
        "repeated_event_ids_due",
        "Repeated event ids among the rows due",
        repeated_ids_due,
        lambda limits: limits.max_duplicate_event_id_rate,
        "A join in the models multiplies rows, or ids are not unique: look at fct_conversion_outbox.",
    ),
    ShareRule(
        "repeated_event_ids",
        "Repeated event ids in the window",
        repeated_ids,
        lambda limits: limits.max_duplicate_event_id_rate,
        "Later orders with the same id are to be held as duplicate_event_id: look at fct_conversion_outbox.",
    ),
    ShareRule(
        "likely_duplicates",
        "Likely duplicate conversions",
        likely_duplicates,
        lambda limits: limits.max_duplicate_rate,
        "Same customer, value and currency shortly after: does the shop or an import write orders twice? "
        "If these are real, raise [quality] max_duplicate_rate.",
    ),
    ShareRule(
        "pixel_duplicates",
        "Events that the pixel reported too, under another id or name",
        pixel_duplicates,
        lambda limits: limits.max_pixel_duplicate_rate,
        "Let the page give the pixel the same name and eventID: look at audit_pixel_duplicates.",
    ),
    ShareRule(
        "events_without_match_key",
        "Events with no match key",
        without_match_key,
        lambda limits: limits.max_no_match_key_rate,
        "Have e-mail, phone, customer or session ids gone missing in raw orders and sessions?",
    ),
    ShareRule(
        "zero_values",
        "Zero values",
        zero_values,
        lambda limits: limits.max_zero_value_rate,
        "Has raw orders.total gone missing, or does var value_basis name an empty column?",
    ),
    ShareRule(
        "implausible_values",
        "Values far from their currency's median",
        outliers,
        lambda limits: limits.max_outlier_rate,
        "Cents in place of units, or a wrong currency? Look at raw orders.total and currency.",
    ),
    ShareRule(
        "event_times_far_ahead",
        "Event times more than a year ahead",
        far_ahead,
        lambda _: MOST_AHEAD,
        "Milliseconds read as seconds, or a wrong clock? Look at raw orders.paid_at.",
    ),
)
