"""Find the bad events of a refused batch, and deliver the good ones.

A platform that takes all or nothing seldom says which event it minds, so the batch is halved. Only an
event that was refused alone is dead. When everything is refused alike, the events are not to blame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import polars as pl

from uploader.destinations.interface import Outcome, Verdict
from uploader.errors import PlatformRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROBES: Final = 8
_Refusal = tuple[int, Outcome]


class Sender(Protocol):
    """What isolation asks of a delivery; see `uploader.delivery.sending.Delivery`."""

    def send(self, batch: pl.DataFrame) -> tuple[int, Outcome]:
        """Send one batch; return its id and what the answer means."""

    def release(self, batch_id: int, outcome: Outcome, *, in_doubt: bool) -> None:
        """Record that a batch was provably not taken."""

    def bury(self, batch_id: int, outcome: Outcome) -> None:
        """Record that the one event of a batch was refused by itself."""


def isolate(sender: Sender, batch: pl.DataFrame, batch_id: int, outcome: Outcome, *, probe: bool = True) -> None:
    """Split a batch that was refused with ``outcome`` until each event is delivered or refused alone."""
    if batch.height == 1:
        sender.bury(batch_id, outcome)
        return
    sender.release(batch_id, outcome, in_doubt=_in_doubt(batch))
    parts = _named(batch, outcome.culprits) if outcome.culprits else _halves(batch)
    refused: list[tuple[pl.DataFrame, _Refusal]] = []
    for position, part in enumerate(parts):
        if _must_be_bad(parts, position, refused, outcome):
            # The rest was accepted, so this part holds the bad event: no request is needed to learn it.
            _isolate_unsent(sender, part)
            continue
        answer = sender.send(part)
        if answer[1].verdict is not Verdict.ACCEPTED:
            refused.append((part, answer))
    codes = {answer.code for _, (_, answer) in refused}
    if probe and len(refused) == len(parts) == 2 and len(codes) == 1 and batch.height >= 2 * _PROBES:
        _probe(sender, batch, refused)
        return
    for part, (part_id, refusal) in refused:
        isolate(sender, part, part_id, refusal)


def _isolate_unsent(sender: Sender, batch: pl.DataFrame) -> None:
    """Split a batch that is known to hold a bad event although it was not sent as such."""
    for part in _halves(batch):
        part_id, refusal = sender.send(part)
        if refusal.verdict is not Verdict.ACCEPTED:
            isolate(sender, part, part_id, refusal)


def _must_be_bad(parts: Sequence[pl.DataFrame], position: int, refused: Sequence[object], outcome: Outcome) -> bool:
    last = position == len(parts) - 1
    halved = outcome.verdict is Verdict.REFUSED and not outcome.culprits
    return last and halved and not refused and parts[position].height > 1


def _probe(sender: Sender, batch: pl.DataFrame, refused: Sequence[tuple[pl.DataFrame, _Refusal]]) -> None:
    """Send single events from all over the batch: if all are refused alike, stop and blame nobody."""
    for part, (part_id, refusal) in refused:
        sender.release(part_id, refusal, in_doubt=_in_doubt(part))
    chosen = [position * batch.height // _PROBES for position in range(_PROBES)]
    bad: list[tuple[pl.DataFrame, _Refusal]] = []
    for position in chosen:
        single = batch.slice(position, 1)
        answer = sender.send(single)
        if answer[1].verdict is not Verdict.ACCEPTED:
            bad.append((single, answer))
    codes = {answer.code for _, (_, answer) in bad}
    if len(bad) == _PROBES and len(codes) == 1:
        for single, (single_id, refusal) in bad:
            sender.release(single_id, refusal, in_doubt=_in_doubt(single))
        message = bad[0][1][1].message
        raise PlatformRefused(
            f"Every event is refused with code {codes.pop()} ({message}): that is not the rows' fault. "
            "Nothing was dead-lettered. Look at `uploader plan --show 1`, mend the mapping or the model, send again."
        )
    for _, (single_id, refusal) in bad:
        sender.bury(single_id, refusal)
    rest = batch.with_row_index("position").filter(~pl.col("position").is_in(chosen)).drop("position")
    for part in _halves(rest):
        part_id, refusal = sender.send(part)
        if refusal.verdict is not Verdict.ACCEPTED:
            isolate(sender, part, part_id, refusal, probe=False)


def _halves(batch: pl.DataFrame) -> list[pl.DataFrame]:
    middle = (batch.height + 1) // 2
    return [batch.slice(0, middle), batch.slice(middle)]


def _named(batch: pl.DataFrame, culprits: Sequence[int]) -> list[pl.DataFrame]:
    """Return the events that the platform did not name together, and each one that it named alone."""
    marked = batch.with_row_index("position").with_columns(pl.col("position").is_in(list(culprits)).alias("bad"))
    good = marked.filter(~pl.col("bad")).drop("position", "bad")
    bad = marked.filter("bad").drop("position", "bad")
    parts = [good] if good.height else []
    return parts + [bad.slice(position, 1) for position in range(bad.height)]


def _in_doubt(batch: pl.DataFrame) -> bool:
    return bool(batch["first_intent_at"].is_not_null().any())
