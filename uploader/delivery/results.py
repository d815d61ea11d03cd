"""Ask platforms that only receive at first what became of earlier requests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from uploader.answers import InDoubt, NotSent
from uploader.destinations.interface import Response
from uploader.errors import PlatformRefused
from uploader.ledger.results import record_result, without_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uploader.answers import Answer
    from uploader.clock import Clock
    from uploader.delivery.surroundings import Sign
    from uploader.delivery.targets import Target
    from uploader.ledger import Ledger

    Get = Callable[[str, Mapping[str, str]], Answer]

_LONGEST: Final = 200
"""Signs of a code that the sent log keeps."""


def has_questions(target: Target, ledger: Ledger, clock: Clock) -> bool:
    """Tell whether there is anything to `ask` about."""
    results = target.destination.results
    if results is None or target.account.test_event_code:
        return False
    return without_result(ledger, target.destination_id, clock(), results.after).height > 0


def ask(target: Target, ledger: Ledger, get: Get, sign: Sign, clock: Clock) -> Iterator[str]:
    """Record what became of the requests of earlier runs, and yield a warning where events were not taken after all.

    The first question that gets no answer is the last one of this run: nothing hangs on it.
    """
    results = target.destination.results
    if results is None or target.account.test_event_code:
        return
    lost, received, unexplained = Counter[str](), 0, 0
    for row in without_result(ledger, target.destination_id, clock(), results.after).iter_rows(named=True):
        request = results.request(target.account, row["trace_id"])
        try:
            answer = get(request.url, dict(request.headers) | sign(request.url))
        except (NotSent, InDoubt, PlatformRefused):
            break
        result = results.read(Response(answer.status, answer.body, answer.headers))
        if result is None:
            break
        if result.is_final:
            counts = [f"{code}={count}" for code, count in sorted(result.refused.items())]
            record_result(ledger, row["batch_id"], " ".join([result.status, *counts])[:_LONGEST])
            lost.update(result.refused)
            received += row["events"] if result.refused else 0
            unexplained += 0 if result.is_whole or result.refused else row["events"]
    if unexplained:
        yield (
            f"{target.name}: of {unexplained} events that it had received in earlier runs, all or some were not taken "
            "after all. It does not say why: look at its own diagnostics."
        )
    if lost:
        told = ", ".join(f"{code} {count}" for code, count in sorted(lost.items()))
        yield (
            f"{target.name}: of {received} events that it had received in earlier runs, {lost.total()} were not taken "
            f"after all: {told}. Which ones, it does not say: look at its own diagnostics."
        )
