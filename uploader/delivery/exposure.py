"""What is not delivered for good yet: when the first of it is lost, what it is worth, what waits for too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.clock import naive
from uploader.diff import KEY, Standing, timed
from uploader.ledger import State, reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.delivery.planning import Plan
    from uploader.ledger import Ledger

HORIZONS: Final = (6, 24)
"""Hours ahead that are looked at."""
_TOO_LONG: Final = timedelta(days=5)
DUE: Final = "due"
"""May be sent, and the sent log does not know it."""
_OPEN: Final = (DUE, str(State.INTENT), str(State.RELEASED), str(State.HELD))
_UNSENT: Final = _OPEN[:3]


@dataclass(frozen=True, slots=True)
class Risk:
    """The events whose time runs out soon, and their value by currency."""

    events: int
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Open:
    """The events of one state that may still be delivered: how many, how old, and when the first is too old."""

    events: int
    oldest_event_at: datetime
    nearest_expiry: datetime


@dataclass(frozen=True, slots=True)
class Exposure:
    """One destination's events that may still be delivered.

    ``states`` are ``due``, ``intent``, ``released`` and ``held``, as far as there are any; ``at_risk`` is by hours
    ahead; ``waiting_long`` counts what is older than five days and not sent.
    """

    states: Mapping[str, Open]
    at_risk: Mapping[int, Risk]
    waiting_long: int


def exposure(plan: Plan, now: datetime) -> Exposure:
    """Say what a destination can still lose. ``now`` is aware."""
    moment = naive(now)
    soon = {hours: pl.col("expires_at") <= moment + timedelta(hours=hours) for hours in HORIZONS}
    times = pl.col("event_at", "expires_at").min()
    states, risks, waiting_long = list[pl.DataFrame](), {hours: list[pl.DataFrame]() for hours in HORIZONS}, 0
    for rows in plan.standing:
        found = _open(rows)
        states.append(found.group_by("open").agg(pl.len().cast(pl.Int64).alias("events"), times))
        for hours, is_soon in soon.items():
            risks[hours].append(_by_currency(found.filter(is_soon)))
        waiting_long += _old(found, moment).height
    grouped = pl.concat(states).group_by("open").agg(pl.col("events").sum(), times.dt.replace_time_zone("UTC"))
    by_state = {state: Open(*known) for state, *known in grouped.rows()}
    return Exposure(
        {state: by_state[state] for state in _OPEN if state in by_state},
        {hours: _risk(pl.concat(found)) for hours, found in risks.items()},
        waiting_long,
    )


def early_alarm(plan: Plan, ledger: Ledger, now: datetime) -> str | None:
    """Return a warning when events older than five days are not sent; after a run, what it sent is left out."""
    states = reading.Successive(ledger, plan.target.destination_id)
    events, first = 0, list[datetime]()
    for rows in plan.standing:
        old = _old(_open(rows), naive(now))
        left = old.drop("state").join(states.of(timed(old)).select(*KEY, "state"), on=KEY, how="left")
        left = left.filter(pl.col("state").fill_null(DUE).is_in(_UNSENT))
        events += left.height
        first += left["expires_at"].sort().head(1).to_list()
    if not events:
        return None
    return (
        f"{plan.target.name}: {'1 event' if events == 1 else f'{events} events'} older than {_TOO_LONG.days} days "
        f"not sent yet; the first expires {min(first):%Y-%m-%d %H:%M:%S} UTC."
    )


def _open(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a plan's rows that may still be delivered, with their state in the sent log as ``open``."""
    not_now = pl.col("standing").is_in([Standing.EXPIRED, Standing.SUPPRESSED, Standing.WAITING])
    found = rows.filter(pl.col("event_key").is_not_null() & pl.col("is_sendable") & ~not_now)
    return found.with_columns(pl.col("state").fill_null(DUE).alias("open")).filter(pl.col("open").is_in(_OPEN))


def _old(rows: pl.DataFrame, moment: datetime) -> pl.DataFrame:
    return rows.filter((pl.col("event_at") < moment - _TOO_LONG) & pl.col("open").is_in(_UNSENT))


def _by_currency(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("currency").agg(pl.len().alias("events"), pl.col("value").sum())


def _risk(found: pl.DataFrame) -> Risk:
    sums = found.group_by("currency").agg(pl.col("value").sum()).sort("currency", nulls_last=True)
    return Risk(int(found["events"].sum()), {currency or "?": value for currency, value in sums.rows() if value})
