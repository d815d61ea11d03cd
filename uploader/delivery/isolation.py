"""Find the bad events of a refused batch, and deliver the good ones.

A platform that takes all or nothing seldom says which event it minds, so the batch is halved. Only an event
that was refused alone, or named by an answer that proved right, is dead. When everything is refused alike, the
events are not to blame; and when the search has used its requests, the rest waits for a later run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl

from uploader.destinations.interface import Outcome, Verdict
from uploader.errors import PlatformRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

BUDGET: Final = 64
"""Requests for one batch in one run, its first one included."""
_DECIDED: Final = (Verdict.ACCEPTED, Verdict.PARTIAL, Verdict.REFUSED, Verdict.TOO_BIG)
_PROBES: Final = 8
"""Single events that are asked about before all of a batch is believed to be bad."""
FEWEST: Final = 3
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
        """Tell whether every event was taken, but for those that the answer refuses each by itself."""
        return self.outcome.verdict in (Verdict.ACCEPTED, Verdict.PARTIAL)

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether an earlier try of any event may have arrived."""
        return bool(self.batch["first_intent_at"].is_not_null().any())


class Sender(Protocol):
    """What isolation asks of a delivery; see `uploader.delivery.sending.Delivery`."""

    @property
    def requests(self) -> int:
        """How many requests were made so far."""

    def send(self, batch: pl.DataFrame) -> Sent:
        """Send one batch, and record what became of it."""

    def bury(self, refused: Sent) -> None:
        """Record that the one event of a batch was refused by itself."""

    def witness(self) -> pl.DataFrame | None:
        """Return one new event that was not tried yet, to be sent by itself; None where there is none."""

    def quarantine(self, batch: pl.DataFrame) -> None:
        """Leave rows for a later run."""


def isolate(sender: Sender, refused: Sent, *, has_accepted: bool) -> None:
    """Split a refused batch until each event is delivered, refused alone, or left for a later run.

    Raises `PlatformRefused`, with nothing dead, when single events from all over the batch are refused alike and
    the platform has accepted nothing before (``has_accepted``): where it has, the mapping is right.
    """
    _Search(sender, has_accepted=has_accepted).run(refused)


class _Search:
    """The search in one batch."""

    def __init__(self, sender: Sender, *, has_accepted: bool) -> None:
        self._sender = sender
        self._has_accepted = has_accepted
        self._end = sender.requests - 1 + BUDGET
        self._names_are_right = True
        self._may_probe = True

    def run(self, refused: Sent) -> None:
        """Search the whole batch."""
        if not refused.outcome.culprits:
            # Rare shapes first: bad rows that lie together are found with far fewer requests.
            rarest_first = refused.batch.sort(pl.len().over("fields"), maintain_order=True)
            refused = Sent(rarest_first, refused.outcome, refused.batch_id)
        self._narrow(refused)

    def _narrow(self, refused: Sent) -> None:
        if refused.batch.height == 1:
            self._sender.bury(refused)
            return
        named = _named(refused.batch, refused.outcome.culprits) if self._names_are_right else None
        for part in self._split_off(refused, *named) if named else self._halve(refused):
            self._narrow(part)

    def _send(self, part: pl.DataFrame) -> Sent | None:
        """Send a part; None when it stays undecided: no request left, or no answer that says anything about it."""
        if self._sender.requests >= self._end:
            self._sender.quarantine(part)
            return None
        sent = self._sender.send(part)
        self._has_accepted |= sent.is_accepted
        return sent if sent.outcome.verdict in _DECIDED else None

    def _halve(self, refused: Sent) -> list[Sent]:
        """Send the halves of a refused batch; return those that hold bad events."""
        left, right = _halves(refused.batch)
        first = self._send(left)
        found = [first] if first and not first.is_accepted else []
        is_inferred = first is not None and not found and refused.outcome.verdict is Verdict.REFUSED
        if is_inferred and right.height > 1:
            # The other half was accepted, so this one holds the bad event: no request is needed to learn it.
            return [Sent(right, refused.outcome)]
        second = self._send(right)
        if second and not second.is_accepted:
            found.append(second)
        if len(found) == 2 and self._is_suspicious(refused, found):
            self._probe(pl.concat([part.batch for part in found]))
            return []
        return found

    def _split_off(self, refused: Sent, bad: pl.DataFrame, rest: pl.DataFrame) -> list[Sent]:
        """Send the events that the answer does not name: when they are accepted, it was right about the others."""
        singles = [bad.slice(position, 1) for position in range(bad.height)]
        answer = self._send(rest) if rest.height else None
        if answer and answer.is_accepted:
            return [Sent(single, refused.outcome) for single in singles]
        if (answer or not rest.height) and self._is_suspicious(refused, [answer] if answer else []):
            self._probe(pl.concat([answer.batch, bad]) if answer else bad)
            return []
        found = [answer] if answer else []
        for single in singles:
            alone = self._send(single)
            if alone and alone.is_accepted:
                self._names_are_right = False
            elif alone:
                found.append(alone)
        return found

    def _is_suspicious(self, refused: Sent, parts: Sequence[Sent]) -> bool:
        """Tell, once, whether all of a batch may be refused for a reason that is not the events'."""
        alike = {part.outcome.code for part in parts} <= {refused.outcome.code}
        is_content = refused.outcome.verdict is Verdict.REFUSED
        found = self._may_probe and alike and is_content and refused.batch.height >= FEWEST
        self._may_probe = False
        return found and not self._has_accepted

    def _probe(self, batch: pl.DataFrame) -> None:
        """Send single events from all over the batch: if all are refused alike, stop and blame nobody."""
        count = min(_PROBES, batch.height)
        chosen = [position * batch.height // count for position in range(count)]
        answers = [self._send(batch.slice(position, 1)) for position in chosen]
        bad = [answer for answer in answers if answer and not answer.is_accepted]
        codes = {answer.outcome.code for answer in bad}
        if len(bad) == count and len(codes) == 1 and not is_contradicted(self._sender, codes):
            raise all_refused(bad[0].outcome)
        self._has_accepted = True
        for single in bad:
            self._sender.bury(single)
        rest = batch.with_row_index("position").filter(~pl.col("position").is_in(chosen)).drop("position")
        for part in _halves(rest) if rest.height else []:
            sent = self._send(part)
            if sent and not sent.is_accepted:
                self._narrow(sent)


def is_contradicted(sender: Sender, codes: set[str | None]) -> bool:
    """Tell whether an event from elsewhere is not refused alike: then the others are bad, and the mapping right."""
    witness = sender.witness()
    answer = sender.send(witness) if witness is not None else None
    if answer is None or answer.outcome.verdict not in _DECIDED:
        return False
    if answer.is_accepted:
        return True
    if answer.outcome.code in codes:
        return False
    sender.bury(answer)
    return True


def all_refused(outcome: Outcome) -> PlatformRefused:
    """Return the error that everything is refused alike."""
    return PlatformRefused(
        f"Every event is refused with code {outcome.code} ({outcome.message}): that is not the rows' fault. "
        "Look at `uploader plan --show 1`, mend the mapping or the model, send again."
    )


def _halves(batch: pl.DataFrame) -> list[pl.DataFrame]:
    middle = (batch.height + 1) // 2
    return [half for half in (batch.slice(0, middle), batch.slice(middle)) if half.height]


def _named(batch: pl.DataFrame, culprits: Sequence[int]) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Return the events that an answer names, and the others; None where it names nobody."""
    if not culprits:
        return None
    marked = batch.with_row_index("position").with_columns(pl.col("position").is_in(list(culprits)).alias("bad"))
    bad, rest = (marked.filter(which).drop("position", "bad") for which in (pl.col("bad"), ~pl.col("bad")))
    return (bad, rest) if bad.height else None
