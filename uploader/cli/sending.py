"""Sending to the destinations of a run, all at the same time: one that is slow or down keeps no other waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from uploader.cli.console import errors
from uploader.delivery.results import ask, has_questions
from uploader.delivery.run import Report, deliver, first_run_notice
from uploader.delivery.signing import signer
from uploader.delivery.surroundings import Surroundings, Unsigned
from uploader.hosts import Hosts
from uploader.ledger.ids import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from uploader.answers import Answer
    from uploader.cli.context import Context
    from uploader.cli.interruption import Interruption
    from uploader.delivery.planning import Plan
    from uploader.delivery.targets import Target
    from uploader.ledger import Ledger
    from uploader.transport import Transport

    Advance: TypeAlias = Callable[[int], None]
    Parts: TypeAlias = Mapping[str, Iterator[pl.DataFrame]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How a run is limited: ``events`` per destination, and ``concurrency`` instead of the settings' number."""

    events: int | None
    deadline: datetime
    concurrency: int | None


@dataclass(slots=True)
class Sender:
    """What all destinations of a run share."""

    context: Context
    ledger: Ledger
    interruption: Interruption
    limits: Limits
    _is_broken: threading.Event = field(default_factory=threading.Event)
    """One destination met what concerns them all, like a sent log that cannot be written."""

    def to_all(self, made: Sequence[Plan], parts: Parts) -> list[Report]:
        """Send, and close the books of each destination. What one of them raises is raised once all have ended."""
        expect(self.ledger, sum(self._total(entry) for entry in made))
        with _progress([(entry.target, self._total(entry)) for entry in made]) as advances:
            if len(made) == 1:
                return [self._to(made[0], parts, advances[0])]
            with ThreadPoolExecutor(max(len(made), 1)) as pool:
                futures = [
                    pool.submit(self._to, entry, parts, advance) for entry, advance in zip(made, advances, strict=True)
                ]
            return [future.result() for future in futures]

    def _total(self, entry: Plan) -> int:
        return entry.height if self.limits.events is None else min(entry.height, self.limits.events)

    def _to(self, entry: Plan, parts: Parts, advance: Advance) -> Report:
        try:
            return self._deliver(entry, parts[entry.target.name], advance)
        except BaseException:
            self._is_broken.set()
            raise

    def _deliver(self, entry: Plan, parts: Iterator[pl.DataFrame], advance: Advance) -> Report:
        self._announce(entry)
        target, is_due = entry.target, self._total(entry) > 0
        speaks = is_due or has_questions(target, self.ledger, self.context.clock)
        count = (self.limits.concurrency or target.settings.concurrency) if is_due else 1
        connections = _connections(target, target.hosts, count) if speaks else []
        tokens = _connections(target, Hosts(target.destination.auth_hosts), 1) if speaks else []
        self.interruption.connections += [*connections, *tokens]
        surroundings = Surroundings(
            ledger=self.ledger,
            post=connections[0].post if connections else _post_nothing,
            more_posts=[connection.post for connection in connections[1:]],
            clock=self.context.clock,
            sleep=self.interruption.sleep,
            stop=lambda: self.interruption.has_come() or self._is_broken.is_set(),
            progress=advance,
            deadline=self.limits.deadline,
            sign=signer(target, tokens[0].post, self.context.clock) if speaks else Unsigned(),
        )
        try:
            told = tuple(self._results(target, connections, surroundings))
            report = deliver(entry, parts, surroundings)
            return replace(report, warnings=(*told, *report.warnings))
        finally:
            for connection in (*connections, *tokens):
                connection.close()

    def _results(self, target: Target, connections: list[Transport], around: Surroundings) -> Iterator[str]:
        """Ask what became of earlier requests."""
        for connection in connections[:1]:
            yield from ask(target, self.ledger, connection.get, around.sign, self.context.clock)

    def _announce(self, entry: Plan) -> None:
        if notice := first_run_notice(entry, self.ledger, self.context.clock()):
            errors.print(notice, markup=False)
        settings = entry.target.settings
        left = (self.limits.deadline - self.context.clock()).total_seconds()
        if left <= settings.total_timeout_s:
            errors.print(
                f"No request can begin: {left:.0f} s are left until the deadline, and a request may last "
                f"{settings.total_timeout_s:g} s (destinations.{entry.target.name}.total_timeout_s).",
                style="yellow",
            )


def _connections(target: Target, hosts: Hosts, count: int) -> list[Transport]:
    from uploader.transport import Timeouts, Transport  # with requests, which takes long to import

    settings = target.settings
    timeouts = Timeouts(settings.connect_timeout_s, settings.read_timeout_s, settings.total_timeout_s)
    return [Transport(timeouts, hosts) for _ in range(count)]


def _post_nothing(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:  # noqa: ARG001 - as `Post`
    raise AssertionError("nothing is due, so nothing is posted")


@contextmanager
def _progress(work: Sequence[tuple[Target, int]]) -> Iterator[list[Advance]]:
    """Show a bar for each destination on a terminal, and plain lines elsewhere."""
    if not errors.is_terminal:
        for target, total in work:
            if total:
                errors.print(f"{target.name}: sending {total} events to {target.destination_id}", markup=False)
        yield [lambda _rows: None for _ in work]
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        tasks = [progress.add_task(target.name, total=total) for target, total in work]
        yield [partial(progress.advance, task) for task in tasks]
