"""``uploader status``: what the sent log says, and what waits for a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uploader.cli.console import print_json, stdout
from uploader.cli.context import Context, environment
from uploader.cli.people import places
from uploader.cli.survey import Choice, plans
from uploader.cli.telling import listing, overview, tell
from uploader.clock import moment
from uploader.delivery.exposure import exposure
from uploader.delivery.targets import configured
from uploader.errors import ConfigurationError, QualityGateFailed, TryLater
from uploader.ledger import Breaker, State
from uploader.ledger.summary import Wanted, by_state, groups, keys_in
from uploader.warehouse import outbox, reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from uploader.delivery.exposure import Exposure
    from uploader.delivery.targets import Target
    from uploader.ledger import Ledger
    from uploader.ledger.summary import Group

_TIMES = ("event_at", "since")


def status(
    destination: Annotated[list[str] | None, typer.Option(help="Show this one only; may be repeated.")] = None,
    held: Annotated[bool, typer.Option("--held", help="List the events that are held.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="List the events that are dead.")] = False,
    limit: Annotated[
        int, typer.Option(min=0, max=1_000_000_000, help="List at most so many of each destination.")
    ] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how many events of each destination are in which state, how old, what expires soon, what needs a person.

    What expires is known to the warehouse only; while it is busy, the rest is told without.

    Example: uploader status --held
    """
    context = Context.load()
    known = configured(context.settings, environment())
    lists = [state for state, is_wanted in ((State.HELD, held), (State.DEAD, dead)) if is_wanted]
    with context.sent_log() as ledger:
        chosen = places(known, ledger, destination or ())
        found = {name: _figures(ledger, place) | _lists(ledger, place, lists, limit) for name, place in chosen.items()}
        exposures, unknown = _exposures(context, ledger, [target for target in known if target.name in chosen])
    for name, figures in found.items():
        figures |= {"open": _open(exposures.get(name)), "open_unknown": unknown}
    if as_json:
        print_json({"destinations": found})
        return
    for name, figures in found.items():
        told = [listing(name, state, figures, context.clock()) for state in lists]
        for line in [line for part in told for line in part] if lists else overview(name, figures, context.clock()):
            tell(stdout(), line)


# ---------------------------------------------------------------- from the sent log


def _figures(ledger: Ledger | None, destination_id: str) -> dict[str, Any]:
    """Return what the sent log knows of a destination."""
    found = groups(ledger, destination_id) if ledger else []
    states = by_state(found)
    breaker = ledger.breaker(destination_id) if ledger else Breaker()
    return {
        "destination_id": destination_id,
        "states": states,
        "ages": {state: _ages([group for group in found if group.state == state]) for state in states if states[state]},
        "trouble": [_trouble(group) for group in found if group.state != State.ACKED],
        "in_doubt": states[State.INTENT],
        "not_before": ledger.paused_until(destination_id) if ledger else None,
        "breaker": {"failures": breaker.failures, "open_until": breaker.open_until},
    }


def _ages(found: Sequence[Group]) -> dict[str, Any]:
    oldest = [group.oldest_event_at for group in found if group.oldest_event_at]
    since = [group.since for group in found if group.since]
    return {"oldest_event_at": min(oldest, default=None), "since": min(since, default=None)}


def _trouble(group: Group) -> dict[str, Any]:
    """Return what a person may have to look at."""
    return {
        "state": group.state,
        "reason": group.reason,
        "rows": group.rows,
        **_ages([group]),
        "examples": list(group.examples),
        "trace_ids": list(group.trace_ids),
    }


def _lists(ledger: Ledger | None, destination_id: str, lists: Sequence[State], limit: int) -> dict[str, Any]:
    """Return the keys of the states that are to be listed."""
    listed = {}
    for state in lists:
        keys = keys_in(ledger, destination_id, state, Wanted(), limit).to_dicts() if ledger else []
        listed[str(state)] = [key | {name: moment(key[name]) for name in _TIMES} for key in keys]
    return {"listed": listed} if lists else {}


# ---------------------------------------------------------------- from the warehouse


def _exposures(
    context: Context, ledger: Ledger | None, known: Sequence[Target]
) -> tuple[Mapping[str, Exposure], str | None]:
    """Return what can still be lost, by destination, or why that is not known; never waits for the warehouse."""
    try:
        with reading(context.profile, _give_up) as connection:
            outbox.require_marts(connection, context.profile)
            made = plans(context, connection, ledger, known, Choice())
    except (ConfigurationError, QualityGateFailed, TryLater) as error:
        return {}, str(error)
    return {plan.target.name: exposure(plan, context.clock()) for plan in made}, None


def _give_up(_seconds: float) -> None:
    raise TryLater("The warehouse is busy: another process has it open.")


def _open(found: Exposure | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "states": {state: asdict(events) for state, events in found.states.items()},
        "at_risk": {str(hours): asdict(risk) for hours, risk in found.at_risk.items()},
        "older_than_5_days": found.waiting_long,
    }
