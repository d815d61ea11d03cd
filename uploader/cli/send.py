"""``uploader send``: deliver what is due."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from uploader.cli.console import errors, is_interactive, print_json, stdout
from uploader.cli.context import Context
from uploader.cli.digests import Digests
from uploader.cli.interruption import Interruption
from uploader.cli.people import who
from uploader.cli.publishing import published_so_far, publishing
from uploader.cli.sending import Limits, Sender
from uploader.cli.survey import Choice, candidates, due_parts, plans, refuse_failed_build
from uploader.clock import parse_time
from uploader.delivery.chunks import needed
from uploader.delivery.exposure import early_alarm
from uploader.delivery.planning import FIRST_BATCHES, PART_ROWS, check_freshness
from uploader.delivery.run import Report, begin_watch, exit_code
from uploader.delivery.targets import ready
from uploader.errors import Interrupted, LedgerRegression, QualityGateFailed, TryLater, UsageError
from uploader.ledger import Ledger, Store, guarded
from uploader.ledger.upkeep import keep
from uploader.report import plural
from uploader.warehouse import Visits, outbox
from uploader.warehouse import reading as reading_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from uploader.cli.gate import Frames
    from uploader.delivery.planning import Plan
    from uploader.warehouse import Connection

    Ended: TypeAlias = tuple[list[Report], LedgerRegression | None]


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is limited."""

    choice: Choice
    limits: Limits
    init: bool


def send(
    destination: Annotated[list[str] | None, typer.Option(help="Send to this one only; may be repeated.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, max=1_000_000_000, help="At most so many events per destination.")
    ] = None,
    deadline: Annotated[
        float, typer.Option(min=1, max=604_800, help="Begin no request that may last longer, in seconds.")
    ] = 3000,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=8, help="Requests at a time, instead of the setting's number.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Leave older events out (ISO 8601).")] = None,
    test: Annotated[bool, typer.Option("--test", help="Rehearse: five events under the test event code.")] = False,
    init: Annotated[bool, typer.Option("--init", help="Accept that the sent log is new or older than it was.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer every question with yes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Send every due event once: outbox minus sent log, through the quality gate, in batches.

    Example: uploader send --destination meta --deadline 3000
    """
    choice = Choice(destination or (), parse_time(since, "--since", UsageError) if since is not None else None, test)
    if init and not yes:
        _confirm()
    context, interruption = Context.load(), Interruption()
    ends_at = context.clock() + timedelta(seconds=deadline)
    options = Options(choice, Limits(5 if test else limit, ends_at, concurrency), init)
    reports, damage = _locked(context, options, interruption)
    code = exit_code(reports, interrupted=lambda: interruption.number)
    problem = "Interrupted; what was not tried is sent by the next run." if interruption.number else None
    if damage:
        code, problem = damage.exit_code, str(damage)
    _tell(reports, code, problem, as_json=as_json)
    return code


def _confirm() -> None:
    """Ask a person whether to begin a new sent log; without a terminal the flag is answer enough."""
    question = "A new sent log knows nothing of what was sent: events may be counted twice. Go on?"
    if is_interactive():
        typer.confirm(question, abort=True, err=True)


def _locked(context: Context, options: Options, interruption: Interruption) -> Ended:
    store = context.store
    with interruption.listening(), store.locked(context.clock):
        try:
            return _run(context, store, options, interruption)
        except TryLater as error:
            if interruption.number is None:
                raise
            raise Interrupted(str(error), interruption.number) from None


def _run(context: Context, store: Store, options: Options, interruption: Interruption) -> Ended:
    with ExitStack() as stack:
        # The warehouse is closed before the first request, and again after each part, so that dbt never waits for us.
        with reading_warehouse(context.profile, interruption.sleep) as connection:
            able, warnings = ready(candidates(context, connection, options.choice))
            for warning in warnings:
                errors.print(warning, markup=False)
            refuse_failed_build(context, connection)
            as_of = outbox.read_as_of(connection, context.profile)
            check_freshness(as_of, context.clock(), context.settings.delivery.max_outbox_age_hours)
            published = published_so_far(context, connection)
            opened = guarded(store, context.clock, context.run_id, published, init=options.init)
            ledger = stack.enter_context(opened)
            if options.init:
                ledger.log_decision(who(), "send --init", "accepted the sent log as it was found")
            # Not kept longer: those of ten million rows take 120 MB, which sending needs.
            known = Digests(context, connection, may_be_known=True)
            made = plans(context, connection, ledger, able, options.choice, known.of)
            del known
            unjudged = _unjudged(context, connection, made, options.limits.events)
            visits = Visits(context.profile, interruption.sleep)
            queues = [(entry.target, _queue(entry, options.limits.events)) for entry in made]
            parts = {target.name: due_parts(visits, connection, queue, needed(target)) for target, queue in queues}
        if not made:
            errors.print("seeds/destinations.csv enables no destination: there is nothing to send.", style="yellow")
        for entry in made:
            begin_watch(entry, ledger)
        if unjudged is not None:
            _require_passed(context, made, ledger, unjudged)
        sender = Sender(context, ledger, interruption, options.limits)
        reports = sender.to_all(made, parts)
        left = [entry for entry, report in zip(made, reports, strict=True) if report.books.leaves_some]
        _warn_early(context, left, ledger)
        # What is old enough to be forgotten is judged by the clock, too.
        is_sure = not any(report.clock_is_wrong for report in reports)
        with publishing(context, ledger, published, interruption.sleep):
            damage = _keep(context, ledger) if is_sure else None
        return reports, damage


def _queue(entry: Plan, limit: int | None) -> Iterator[pl.DataFrame]:
    return entry.queue(PART_ROWS, limit, min(FIRST_BATCHES * entry.target.limits.events, PART_ROWS))


def _unjudged(context: Context, connection: Connection, made: Sequence[Plan], limit: int | None) -> Frames | None:
    """Return what the gate is to judge; None where nothing is due, or what is due has passed."""
    if limit == 0 or not any(entry.height for entry in made):
        return None
    from uploader.cli import gate  # a run with nothing new starts faster without

    return gate.unjudged(context, connection, gate.Wanted(made, limit))


def _require_passed(context: Context, made: Sequence[Plan], ledger: Ledger, frames: Frames) -> None:
    from uploader.cli import gate

    try:
        gate.require_passed(context, frames)
    except QualityGateFailed:
        _warn_early(context, made, ledger)
        raise


def _warn_early(context: Context, made: Sequence[Plan], ledger: Ledger) -> None:
    """Tell of events that are not sent for so long that they may expire."""
    for entry in made:
        if alarm := early_alarm(entry, ledger, context.clock()):
            errors.print(alarm, markup=False, style="yellow")


def _keep(context: Context, ledger: Ledger) -> LedgerRegression | None:
    """Back the sent log up and let it forget; return that it is damaged, to be told after what the run did."""
    try:
        keep(ledger, context.clock, context.settings.ledger)
    except TryLater as error:
        errors.print(str(error), markup=False, style="yellow")
    except LedgerRegression as error:
        return error
    return None


def _tell(reports: Sequence[Report], code: int, problem: str | None, *, as_json: bool) -> None:
    if problem:
        errors.print(problem, markup=False, style="bold red" if code == LedgerRegression.exit_code else "yellow")
    for report in reports:
        for warning in report.warnings:
            errors.print(warning, markup=False, style="yellow")
        if report.problem:
            errors.print(
                str(report.problem),
                markup=False,
                style="yellow" if code == TryLater.exit_code else "bold red",
            )
    if as_json:
        named = {
            report.name: {"destination_id": report.destination_id}
            | report.books.as_dict()
            | ({"problem": str(report.problem)} if report.problem else {})
            | ({"warnings": list(report.warnings)} if report.warnings else {})
            for report in reports
        }
        balanced = all(report.books.is_balanced for report in reports)
        print_json({"destinations": named, "balanced": balanced} | ({"problem": problem} if problem else {}))
        return
    for report in reports:
        figures = report.books.as_dict()
        read, requests = plural(figures.pop("read"), "row"), plural(figures.pop("requests"), "request")
        words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in figures.items() if count)
        told = f"{report.name} ({report.destination_id}): {read} read: {words or 'nothing due'}; {requests}"
        stdout().print(told, markup=False)
    if code == 2:
        errors.print("Some rows are dead, expired or held: see `uploader status`.", style="yellow")
