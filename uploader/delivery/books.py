"""The books of a run: every row read stands in exactly one state, or the run says that it has a bug."""

from __future__ import annotations

from collections import Counter as PythonCounter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.diff import KEY, Standing
from uploader.errors import BooksDoNotBalance

if TYPE_CHECKING:
    from uploader.delivery.surroundings import Counter

SUMMANDS: Final = (
    "already",
    "acked",
    "released",
    "held",
    "dead",
    "expired",
    "suppressed",
    "waiting",
    "deferred",
)


UNTOLD: Final = (Standing.ALREADY, Standing.WAITING, Standing.DEFERRED)
"""What a run does nothing about: it is counted as it stood before."""


@dataclass(frozen=True, slots=True)
class Books:
    """One destination's run. ``read`` is the sum of `SUMMANDS`; the rest is told beside it.

    ``deferred`` are rows that were not tried, or are in doubt (``in_doubt``) and will be tried again;
    ``new`` and ``resent`` count the rows that this run set out to send, ``changed`` those that were sent again with
    another content.
    """

    read: int
    already: int
    acked: int
    released: int
    held: int
    dead: int
    expired: int
    suppressed: int
    waiting: int
    deferred: int
    in_doubt: int
    new: int
    resent: int
    requests: int
    changed: int = 0

    @property
    def is_balanced(self) -> bool:
        """Tell whether every row read stands in exactly one of the `SUMMANDS`."""
        total: int = sum(getattr(self, name) for name in SUMMANDS)
        return self.read == total

    @property
    def needs_attention(self) -> bool:
        """Tell whether rows became dead, expired or held in this run."""
        return bool(self.dead or self.expired or self.held)

    @property
    def leaves_some(self) -> bool:
        """Tell whether rows that may be sent are left for a later run."""
        return bool(self.deferred or self.released)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


class Tally:
    """Where rows ended, counted a part of them after the other."""

    def __init__(self) -> None:
        self._rows = self._in_doubt = 0
        self._standing, self._ended = PythonCounter[str](), PythonCounter[str]()

    def add(self, rows: pl.DataFrame, states: pl.DataFrame) -> None:
        """Count where each row ended.

        ``rows`` are the plan's, with ``standing`` and the ``state`` before the run; ``states`` the sent log's after it,
        at least of the rows that it wrote about.
        """
        after = rows.join(states.select(*KEY, pl.col("state").alias("state_after")), on=KEY, how="left")
        now = after.with_columns(pl.coalesce("state_after", "state").alias("state"))
        tried = pl.col("standing").is_in([Standing.NEW, Standing.RESEND])
        untold = pl.col("standing").is_in(UNTOLD)
        ended = (
            pl.when(untold)
            .then("standing")
            .when(pl.col("state").is_null() | (pl.col("state") == "intent"))
            .then(pl.lit("deferred"))
            .otherwise("state")
        )
        self._rows += rows.height
        self._in_doubt += now.filter(tried & (pl.col("state") == "intent").fill_null(value=False)).height
        self._ended.update(dict(now.select(ended.alias("ended"))["ended"].value_counts().rows()))
        self._standing.update(dict(rows["standing"].value_counts().rows()))

    def close(self, counter: Counter) -> Books:
        """Return the books. What the loop counted itself must agree with the log, or `BooksDoNotBalance` is raised."""
        figures = {name: self._ended[name] for name in SUMMANDS}
        books = Books(
            read=self._rows,
            **figures,
            in_doubt=self._in_doubt,
            new=self._standing[Standing.NEW],
            resent=self._standing[Standing.RESEND],
            requests=counter.requests,
            changed=counter.changed,
        )
        _balance(books, counter, set(self._ended) - set(SUMMANDS))
        return books


def _balance(books: Books, counter: Counter, unknown: set[str]) -> None:
    if not books.is_balanced or unknown or (books.acked, books.dead) != (counter.acked, counter.dead):
        raise BooksDoNotBalance(
            f"The books do not balance: {books.as_dict()}; sent log: {books.acked} acked, "
            f"{books.dead} dead; counted while sending: {counter.acked} acked, {counter.dead} dead"
            f"{'; unknown states ' + ', '.join(sorted(unknown)) if unknown else ''}. "
            "This is a bug: please report it with the output of `uploader status --json`."
        )
