"""Find the bad events of a refused batch, and deliver the good ones.

A platform that takes all or nothing seldom says which event it minds, so the batch is halved. Only an
event that was refused alone is dead. When everything is refused alike, the events are not to blame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl

from uploader.destinations.interface import Outcome, Verdict
from uploader.errors import PlatformRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROBES: Final = 8
"""Single events that are asked about before all of a batch is believed to be bad."""
_FEWEST: Final = 3
"""With fewer events alike, nothing can be said about all."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch after its request. ``batch`` carries ``first_intent_at`` where a try may have arrived."""

    batch: pl.DataFrame
    outcome: Outcome
    batch_id: int | None = None
    """None for a part that is known to be bad although it was not sent as such."""

    @property
    def is_accepted(self) -> bool:
        """Tell whether every event was taken."""
        return self.outcome.verdict is Verdict.ACCEPTED


class Sender(Protocol):
    """What isolation asks of a delivery; see `uploader.delivery.sending.Delivery`."""

    def send(self, batch: pl.DataFrame) -> Sent:
        """Send one batch, and record what became of it."""

    def bury(self, refused: Sent) -> None:
        """Record that the one event of a batch was refused by itself."""


def isolate(sender: Sender, refused: Sent) -> None:
    """Split a refused batch until each event is delivered or refused alone.

    Raises `PlatformRefused`, with nothing dead, when single events from all over the batch are refused alike.
    """
    parts = _split(sender, refused)
    unnamed = refused.outcome.verdict is Verdict.REFUSED and not refused.outcome.culprits
    all_refused = len(parts) == 2 and len({part.outcome.code for part in parts}) == 1
    if unnamed and all_refused and refused.batch.height >= _FEWEST:
        _probe(sender, refused.batch)
        return
    for part in parts:
        _narrow(sender, part)


def _narrow(sender: Sender, refused: Sent) -> None:
    if refused.batch.height == 1:
        sender.bury(refused)
        return
    for part in _split(sender, refused):
        _narrow(sender, part)


def _split(sender: Sender, refused: Sent) -> list[Sent]:
    """Send the parts of a refused batch; return those that were refused too."""
    if refused.batch.height == 1:
        return [refused]
    named = _named(refused.batch, refused.outcome.culprits)
    parts = named or _halves(refused.batch)
    found: list[Sent] = []
    for position, part in enumerate(parts):
        is_rest = position == len(parts) - 1 and not named and not found
        if is_rest and part.height > 1 and refused.outcome.verdict is Verdict.REFUSED:
            # The other half was accepted, so this one holds the bad event: no request is needed to learn it.
            found.append(Sent(part, refused.outcome))
            continue
        answer = sender.send(part)
        if not answer.is_accepted:
            found.append(answer)
    return found


def _probe(sender: Sender, batch: pl.DataFrame) -> None:
    """Send single events from all over the batch: if all are refused alike, stop and blame nobody."""
    count = min(_PROBES, batch.height)
    chosen = [position * batch.height // count for position in range(count)]
    answers = [sender.send(batch.slice(position, 1)) for position in chosen]
    bad = [answer for answer in answers if not answer.is_accepted]
    codes = {answer.outcome.code for answer in bad}
    if len(bad) == count and len(codes) == 1:
        raise PlatformRefused(
            f"Every event is refused with code {codes.pop()} ({bad[0].outcome.message}): that is not the rows' fault. "
            "Nothing was dead-lettered. Look at `uploader plan --show 1`, mend the mapping or the model, send again."
        )
    for answer in bad:
        sender.bury(answer)
    rest = batch.with_row_index("position").filter(~pl.col("position").is_in(chosen)).drop("position")
    for part in _halves(rest) if rest.height else []:
        answer = sender.send(part)
        if not answer.is_accepted:
            _narrow(sender, answer)


def _halves(batch: pl.DataFrame) -> list[pl.DataFrame]:
    middle = (batch.height + 1) // 2
    return [half for half in (batch.slice(0, middle), batch.slice(middle)) if half.height]


def _named(batch: pl.DataFrame, culprits: Sequence[int]) -> list[pl.DataFrame]:
    """Return the events that the platform did not name together, and each one that it named alone."""
    marked = batch.with_row_index("position").with_columns(pl.col("position").is_in(list(culprits)).alias("bad"))
    good = marked.filter(~pl.col("bad")).drop("position", "bad")
    bad = marked.filter("bad").drop("position", "bad")
    if not bad.height:
        return []
    return [*([good] if good.height else []), *(bad.slice(position, 1) for position in range(bad.height))]
