"""One run over all destinations: record what expired or may not be sent, send what is due, close the books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from uploader.clock import naive
from uploader.delivery.books import UNTOLD, Books, Tally
from uploader.delivery.sending import Delivery
from uploader.diff import KEY, Standing, timed
from uploader.errors import PlatformRefused, QualityGateFailed, TryLater, UploaderError
from uploader.ledger import State, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from uploader.delivery.planning import Plan
    from uploader.delivery.surroundings import Counter, Surroundings
    from uploader.ledger import Ledger

_CLOCK_JUMP_S = 15 * 60
_VERDICTS = {
    Standing.EXPIRED: State.EXPIRED,
    Standing.HELD: State.HELD,
    Standing.SUPPRESSED: State.SUPPRESSED,
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did with one destination; ``problem`` is why it ended early, if it did."""

    name: str
    destination_id: str
    books: Books
    problem: UploaderError | None
    warnings: tuple[str, ...] = ()
    clock_is_wrong: bool = False


def record_verdicts(plan: Plan, surroundings: Surroundings) -> None:
    """Write down what needs no request: rows that expired, are held, or must not be sent any more."""
    for rows in plan.standing:
        for standing, state in _VERDICTS.items():
            keys = rows.filter(pl.col("standing") == standing).select(
                *KEY,
                pl.col("event_at").dt.epoch("us").alias("event_at"),
                pl.col("standing_reason").alias("reason"),
                "was_in_doubt",
            )
            surroundings.ledger.judge(plan.target.destination_id, keys, state)


def begin_watch(plan: Plan, ledger: Ledger) -> None:
    """Remember when a destination was first served, also by a run that the gate stops: losses count from then on."""
    if ledger.watched_from(plan.target.destination_id) is None:
        ledger.watch(plan.target.destination_id, plan.watch_from)


def deliver(plan: Plan, parts: Iterable[pl.DataFrame], surroundings: Surroundings) -> Report:
    """Send one destination's due rows and close its books.

    ``parts`` are frames with the whole rows of (some of) what is due, in the order to send them, and their `MARKS`.
    What is too old is recorded after the requests, and not at all when the platform's answers show that the clock
    cannot be believed.
    """
    begun = (surroundings.clock(), surroundings.monotonic())
    delivery = Delivery(plan.target, surroundings)
    if plan.height:
        delivery.run(part for part in parts if part.height)
    counter = delivery.counter
    # By the monotonic clock too: the wall's may have been set, or the machine have slept, in the middle of the run.
    jump = (surroundings.clock() - begun[0]).total_seconds() - (surroundings.monotonic() - begun[1])
    if not counter.clock_is_wrong and jump < _CLOCK_JUMP_S:
        record_verdicts(plan, surroundings)
        delivery.record_late()
        if plan.looks_at_all:
            surroundings.ledger.watch(plan.target.destination_id, plan.watch_from)
    books = _books(plan, surroundings.ledger, counter)
    problem = counter.problem if isinstance(counter.problem, UploaderError) else None
    warnings = tuple(_warnings(plan, counter))
    return Report(plan.target.name, plan.target.destination_id, books, problem, warnings, counter.clock_is_wrong)


def _books(plan: Plan, ledger: Ledger, counter: Counter) -> Books:
    tally, states = Tally(), reading.Successive(ledger, plan.target.destination_id)
    for rows in plan.standing:
        concerned = rows.filter(~pl.col("standing").is_in(UNTOLD))
        # What this run wrote has the rows' own times, and the rest is as it was planned.
        tally.add(rows, states.of(timed(concerned), at_other_times=False))
    return tally.close(counter)


def _warnings(plan: Plan, counter: Counter) -> Iterator[str]:
    yield from counter.warnings
    is_moved = pl.col("is_moved") & (pl.col("standing") == Standing.ALREADY)
    moved = pl.concat([pl.Series(dtype=pl.String), *(rows.filter(is_moved)["event_key"] for rows in plan.standing)])
    if len(moved):
        shown = ", ".join(moved.head(3))
        yield (
            f"{plan.target.name}: {len(moved)} events have another time than when they were sent (e.g. {shown}). "
            "They are not sent again; an id that is used for two events counts one of them only."
        )
    if counter.changed:
        kept = "first" if plan.target.destination.windows.first_wins else "last"
        yield (
            f"{plan.target.name}: sent again, but not as they were at their first try: {counter.changed}; "
            f"the platform keeps the {kept} of the two."
        )


def first_run_notice(plan: Plan, ledger: Ledger, now: datetime) -> str | None:
    """Say what a destination that never got anything is about to get, or None."""
    if plan.oldest_due is None or reading.has_acked(ledger, plan.target.destination_id):
        return None
    days = (naive(now) - plan.oldest_due).total_seconds() / 86_400
    return (
        f"{plan.target.name}: nothing was sent to {plan.target.destination_id} before; {plan.height} events are "
        f"due, the oldest {days:.1f} days old. `--since TIME` leaves older ones out of this run."
    )


def exit_code(reports: Sequence[Report], *, interrupted: Callable[[], int | None] = lambda: None) -> int:
    """Return the exit code of a run: what a person must mend first comes first.

    Rows that were lost beat a wish to be called later: that comes by itself, and nobody would look.
    """
    signal = interrupted()
    if signal is not None:
        return 128 + signal
    problems = [report.problem for report in reports]
    for kind in (PlatformRefused, QualityGateFailed):
        if any(isinstance(problem, kind) for problem in problems):
            return kind.exit_code
    if any(report.books.needs_attention for report in reports):
        return 2
    return TryLater.exit_code if any(isinstance(problem, TryLater) for problem in problems) else 0
