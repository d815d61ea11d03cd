"""``uploader plan``: what would be sent, and what is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.table import Table
from rich.text import Text

from uploader.cli.console import errors, print_json, stdout
from uploader.cli.context import Context
from uploader.cli.survey import Choice, candidates, due_rows, plans
from uploader.clock import parse_time
from uploader.delivery.planning import standing_counts
from uploader.encode import encode
from uploader.errors import UsageError
from uploader.report import money, plan_figures, printable
from uploader.warehouse import outbox, reading

if TYPE_CHECKING:
    import polars as pl

    from uploader.delivery.planning import Plan


def plan(
    destination: Annotated[list[str] | None, typer.Option(help="Plan this one only; may be repeated.")] = None,
    show: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Print the exact JSON of the first N events due.")
    ] = 0,
    since: Annotated[str | None, typer.Option(help="Leave older events out (ISO 8601).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what `send` would do: due, already sent, held by reason, value by currency. Sends nothing.

    Example: uploader plan --show 1
    """
    context = Context.load()
    choice = Choice(destination or (), parse_time(since, "--since", UsageError) if since is not None else None)
    with context.sent_log() as ledger, reading(context.profile) as connection:
        chosen = candidates(context, connection, choice)
        made = plans(context, connection, ledger, chosen, choice)
        tally = outbox.read_tally(connection, context.profile)
        without_event = outbox.read_orders_without_event(connection, context.profile)
        withheld = outbox.read_withheld(connection, context.profile)
        shown = _shown(made, due_rows(context, connection, made, show)) if show and made else {}
    for problem in [f"{target.name}: {item}" for target in chosen for item in target.problems]:
        errors.print(f"Before sending, set {problem}", markup=False)
    figures = plan_figures(tally, standing_counts(made), without_event) | {"withheld": _by_field(withheld)}
    if as_json:
        parsed = {name: [orjson.loads(payload) for payload in payloads] for name, payloads in shown.items()}
        print_json(figures | ({"show": parsed} if show else {}))
        return
    _tables(figures)
    for payloads in shown.values():
        for payload in payloads:
            typer.echo(payload)


def _shown(made: list[Plan], rows: pl.DataFrame) -> dict[str, list[str]]:
    """Return the JSON texts that would leave, by destination."""
    shown = {}
    for entry in made:
        mine = rows.filter(rows["destination"] == entry.target.name)
        shown[entry.target.name] = encode(mine, entry.target.body()).payloads()
    return shown


def _by_field(withheld: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return, by destination, from how many sendable events a policy withholds each field."""
    found: dict[str, dict[str, int]] = {}
    for destination, fields, rows in withheld.iter_rows():
        counts = found.setdefault(destination, {})
        for name in fields.split():
            counts[name] = counts.get(name, 0) + rows
    return found


def _tables(figures: dict[str, Any]) -> None:
    console = stdout()
    for name, events in figures["destinations"].items():
        unrouted = [event for event, found in events.items() if _has_no_route(found)]
        for event, found in events.items():
            if event not in unrouted:
                console.print(_table(f"{name} · {event}", found))
        if unrouted:
            told = f"{name} · held: not_routed, for want of a route in seeds/event_routes.csv: {', '.join(unrouted)}"
            console.print(told, markup=False, style="dim")
    for name, fields in figures["withheld"].items():
        told = ", ".join(f"{field} ({rows})" for field, rows in sorted(fields.items()))
        console.print(f"{name}: withheld by policy from events that may be sent: {told}", markup=False)
    for reason, rows in figures["orders_without_event"].items():
        console.print(f"{rows} orders make no event: {reason}", markup=False)


def _table(title: str, found: dict[str, Any]) -> Table:
    table = Table(title=Text(printable(title)), title_justify="left", show_header=False, box=None)
    table.add_column(justify="right")
    table.add_column()
    table.add_column()
    table.add_row(str(found["due"]), "due", money(found["due_value"].items()))
    for state, rows in found["sent_log"].items():
        table.add_row(str(rows), Text(f"already {state}"), "")
    for key in ("waiting", "deferred", "expired", "suppressed", "in_doubt_too_late"):
        if isinstance(found.get(key), int) and found[key]:
            table.add_row(str(found[key]), key, "")
    for reason, rows in found["held"].items():
        table.add_row(str(rows), Text(printable(f"held: {reason}")), "")
    return table


def _has_no_route(found: dict[str, Any]) -> bool:
    """Tell whether no event of a kind goes to a destination, because none is meant to."""
    return "not_routed" in found["held"] and not found["due"] and not found["sent_log"]
