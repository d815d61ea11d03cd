"""What people decide about single keys: which ones, what would change, and writing it down with who did."""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import typer

from uploader.cli.console import errors, is_interactive, print_json, stdout
from uploader.cli.context import Context, environment
from uploader.cli.publishing import publish_changes, published_so_far
from uploader.cli.telling import place_text, reason_text, state_text, tell
from uploader.clock import moment
from uploader.delivery.targets import configured
from uploader.errors import TryLater, UsageError
from uploader.ledger import Ledger, State, guarded, reading
from uploader.ledger.summary import Wanted, groups, keys_in
from uploader.report import lasting, plural, printable
from uploader.warehouse import reading as reading_warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from uploader.delivery.targets import Target
    from uploader.warehouse.duckdb import Sleep


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person makes of keys: ``command`` in words, the state they must be in, the one they get, and why.

    ``caution`` is what to know before, ``outlook`` what happens next.
    """

    command: str
    of: State
    into: State
    reason: str
    caution: str
    outlook: str


@dataclass(frozen=True, slots=True)
class Request:
    """Which keys a person means, and how to go about it."""

    event_ids: Sequence[str]
    reason: str | None
    everything: bool
    destinations: Sequence[str]
    dry_run: bool
    yes: bool
    as_json: bool

    def __post_init__(self) -> None:
        if sum((bool(self.event_ids), self.reason is not None, self.everything)) != 1:
            raise UsageError("Say which events: name their ids, or give --reason, or --all; one of the three.")


@dataclass(frozen=True, slots=True)
class Choice:
    """One destination's keys that a decision is about; columns of ``keys`` as `uploader.ledger.summary.keys_in`."""

    name: str
    destination_id: str
    keys: pl.DataFrame

    @property
    def ids(self) -> set[tuple[str, str]]:
        """The keys as event name and event id."""
        return set(self.keys.select("event_name", "event_id").rows())

    @property
    def by_reason(self) -> dict[str, int]:
        """How many keys have which reason."""
        counted = self.keys.group_by("reason", maintain_order=True).agg(pl.len())
        return {reason_text(reason): rows for reason, rows in counted.rows()}


def places(known: Sequence[Target], ledger: Ledger | None, wanted: Sequence[str]) -> dict[str, str]:
    """Return destination ids by name: the configured ones, and by their id those that only the sent log knows."""
    found = {target.name: target.destination_id for target in known}
    found |= {name: name for name in (ledger.destinations() if ledger else []) if name not in found.values()}
    unknown = [name for name in wanted if name not in found and name not in found.values()]
    if unknown:
        raise UsageError(f"There is no destination {', '.join(unknown)}. There are: {', '.join(found)}.")
    return {name: place for name, place in found.items() if not wanted or name in wanted or place in wanted}


def decide(decision: Decision, request: Request, sleep: Sleep = time.sleep) -> int:
    """Show what a decision would change, ask, and write it down; return the exit code.

    Asked without the lock, so that nobody's thinking keeps a run waiting. ``sleep`` waits for a busy warehouse.
    """
    context = Context.load()
    with context.sent_log() as ledger:
        choices = _choose(context, ledger, decision, request)
    if not choices or request.dry_run:
        _report(context, decision, request, choices, None)
        return 0
    _confirm(context, decision, request, choices)
    by = who()
    _write(context, decision, request, choices, by, sleep)
    _report(context, decision, request, choices, by)
    return 0


def who() -> str:
    """Name the person as the system knows them, and the machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in many containers
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


# ---------------------------------------------------------------- which keys


def _choose(context: Context, ledger: Ledger | None, decision: Decision, request: Request) -> list[Choice]:
    """Return what a decision is about, by destination; raise for an id that is not in the state it must be in."""
    known = configured(context.settings, environment())
    # What only the sent log knows, like a dataset of old, must be named.
    chosen = places(known, ledger if request.destinations else None, request.destinations)
    found = [
        Choice(name, place, keys_in(ledger, place, decision.of, _wanted(ledger, place, decision, request)))
        for name, place in chosen.items()
        if ledger is not None
    ]
    named = {event_id for choice in found for _, event_id in choice.ids}
    missing = [event_id for event_id in dict.fromkeys(request.event_ids) if event_id not in named]
    if missing:
        raise UsageError(_not_there(ledger, list(chosen.values()), decision, missing))
    return [choice for choice in found if not choice.keys.is_empty()]


def _wanted(ledger: Ledger, destination_id: str, decision: Decision, request: Request) -> Wanted:
    if request.reason is None:
        return Wanted(event_ids=None if request.everything else request.event_ids)
    known = {group.reason for group in groups(ledger, destination_id) if group.state == decision.of}
    return Wanted(reasons=[reason for reason in known if reason and _is_meant(request.reason, reason)])


def _is_meant(asked: str, reason: str) -> bool:
    """Tell whether a reason is meant: by the whole of it, or by the code or the subcode in it."""
    code = reason.rpartition(": ")[2]
    return asked in (reason, code, *code.split("/"))


def _not_there(ledger: Ledger | None, chosen: Sequence[str], decision: Decision, missing: Sequence[str]) -> str:
    """Say which ids are not in the state they must be in, and where they are instead."""
    found = [reading.states_of(ledger, place, missing).select("event_id", "state") for place in chosen]
    states = {event_id: state_text(state) for event_id, state in pl.concat(found).rows()} if found else {}
    shown = [f"  {printable(event_id)}: {states.get(event_id, 'not in the sent log')}" for event_id in missing[:20]]
    more = [f"  and {len(missing) - 20} more"] if len(missing) > 20 else []
    return "\n".join([f"Nothing was changed. Not {decision.of}:", *shown, *more])


# ---------------------------------------------------------------- writing


def _write(
    context: Context, decision: Decision, request: Request, choices: Sequence[Choice], by: str, sleep: Sleep
) -> None:
    """Write the decision into the sent log that is provably the newest, and into the warehouse's copy."""
    store = context.store
    with store.locked(context.clock):
        with reading_warehouse(context.profile, sleep) as connection:
            published = published_so_far(context, connection)
        with guarded(store, context.clock, context.run_id, published) as ledger:
            _require_same(choices, _choose(context, ledger, decision, request))
            for choice in choices:
                verdicts = _verdicts(decision, choice)
                ledger.judge(choice.destination_id, verdicts, decision.into, by)
                if decision.into is State.RELEASED:
                    # It may be too old by now: the next run tells.
                    oldest = verdicts["event_at"].fill_null(0).min()
                    ledger.look_back(choice.destination_id, oldest if isinstance(oldest, int) else 0)
            detail = {choice.destination_id: choice.by_reason for choice in choices}
            ledger.log_decision(by, _in_words(decision, request), json.dumps(detail))
            publish_changes(context, ledger, published, sleep)


def _require_same(seen: Sequence[Choice], current: Sequence[Choice]) -> None:
    """Raise when another run or person was faster: what was shown and agreed to is not there any more."""
    if {choice.destination_id: choice.ids for choice in seen} != {one.destination_id: one.ids for one in current}:
        raise TryLater("Another run has changed these events meanwhile. Nothing was changed; look again.")


def _verdicts(decision: Decision, choice: Choice) -> pl.DataFrame:
    """Return the verdicts on the keys; what was held is what may have arrived."""
    return choice.keys.select(
        "event_name",
        "event_id",
        "event_at",
        pl.lit(decision.reason).alias("reason"),
        pl.lit(decision.of is State.HELD).alias("was_in_doubt"),
    )


def _in_words(decision: Decision, request: Request) -> str:
    """Repeat the command; ids are counted, for they stand beside the verdicts."""
    if request.event_ids:
        return f"{decision.command} ({plural(len(set(request.event_ids)), 'event id')})"
    return f"{decision.command} {'--all' if request.everything else f'--reason {request.reason}'}"


# ---------------------------------------------------------------- telling


def _confirm(context: Context, decision: Decision, request: Request, choices: Sequence[Choice]) -> None:
    """Show what would change and ask; without a terminal the command is answer enough."""
    if request.yes or not is_interactive():
        return
    for line in [*_lines(decision, choices, context.clock(), "would be"), decision.caution]:
        tell(errors, line)
    typer.confirm("Go on?", abort=True, err=True)


def _report(context: Context, decision: Decision, request: Request, choices: Sequence[Choice], by: str | None) -> None:
    """Say what was changed and by whom; without a name nothing was."""
    if request.as_json:
        found = {choice.name: _figures(decision, choice) for choice in choices}
        about = {"command": decision.command, "dry_run": request.dry_run, "decided_by": by}
        print_json(about | {"destinations": found})
        return
    for line in _lines(decision, choices, context.clock(), "are now" if by else "would be"):
        tell(stdout(), line)
    if by:
        tell(stdout(), f"Decided by {printable(by)}. {decision.outlook}")
    elif choices:
        tell(stdout(), f"{decision.caution} Nothing was changed: --dry-run.")
    else:
        tell(stdout(), f"Nothing to do: no {decision.of} event is meant.")


def _figures(decision: Decision, choice: Choice) -> dict[str, Any]:
    return {
        "destination_id": choice.destination_id,
        "state": decision.into,
        "reason": decision.reason,
        "events": choice.keys.height,
        "by_reason": choice.by_reason,
        "keys": choice.keys.select("event_name", "event_id").to_dicts(),
    }


def _lines(decision: Decision, choices: Sequence[Choice], now: datetime, verb: str) -> list[str]:
    """Say what a decision is about: how many by reason, how old, and the first of them."""
    lines = []
    for choice in choices:
        events = plural(choice.keys.height, f"{decision.of} event")
        place = place_text(choice.name, choice.destination_id)
        lines.append(f"{place}: {events} {verb} {decision.into} ({decision.reason})")
        for (reason,), keys in choice.keys.group_by("reason", maintain_order=True):
            shown = ", ".join(printable(event_id) for event_id in keys["event_id"].head(3))
            more = ", …" if keys.height > 3 else ""
            lines.append(f"  {keys.height:,}  {reason_text(reason)}{_ages(keys, now)}: {shown}{more}")
    return lines


def _ages(keys: pl.DataFrame, now: datetime) -> str:
    """Say how old the events are, as far as that is known."""
    moments = [keys["event_at"].max(), keys["event_at"].min()]
    times = [moment(value) for value in moments if isinstance(value, int)]
    ages = [lasting(now - time) for time in times if time]
    return f", {' to '.join(dict.fromkeys(ages))} old" if ages else ""
