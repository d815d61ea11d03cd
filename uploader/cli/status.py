"""``uploader status``: what the sent log says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from uploader.cli.app import app
from uploader.cli.context import Context, environment, print_json, stdout
from uploader.delivery.targets import targets
from uploader.destinations import names
from uploader.ledger import STATES, reading

if TYPE_CHECKING:
    from uploader.ledger import Ledger


@app.command(short_help="Show what the sent log says.")
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how many events of each destination are in which state, and which ones need a person.

    Example: uploader status --json
    """
    context = Context.load()
    # Not from the warehouse: status answers while dbt writes to it.
    known = targets(names(), context.settings, environment())
    configured = {target.name: target.destination_id for target in known}
    with context.sent_log() as ledger:
        found = _figures(ledger, configured)
    if as_json:
        print_json({"destinations": found})
        return
    _tables(found)


def _figures(ledger: Ledger | None, configured: dict[str, str]) -> dict[str, Any]:
    """Return the figures by destination; one that is not configured any more goes by its id."""
    counted = reading.counts(ledger) if ledger else {}
    names = {destination_id: name for name, destination_id in configured.items()}
    found = {}
    for destination_id in [*configured.values(), *(known for known in counted if known not in names)]:
        trouble = reading.trouble(ledger, destination_id).to_dicts() if ledger and destination_id in counted else []
        paused = ledger.paused_until(destination_id) if ledger else None
        found[names.get(destination_id, destination_id)] = {
            "destination_id": destination_id,
            "states": counted.get(destination_id, dict.fromkeys(STATES, 0)),
            "trouble": trouble,
            "not_before": paused,
        }
    return found


def _tables(found: dict[str, Any]) -> None:
    console = stdout()
    for name, figures in found.items():
        table = Table(title=f"{name} ({figures['destination_id']})", title_justify="left", show_header=False, box=None)
        table.add_column(justify="right")
        table.add_column()
        for state, rows in figures["states"].items():
            if rows:
                table.add_row(str(rows), state)
        for line in figures["trouble"]:
            more = ", …" if line["rows"] > len(line["examples"]) else ""
            why = line["reason"] or "no answer on record"
            table.add_row(str(line["rows"]), f"  {line['state']}: {why} ({', '.join(line['examples'])}{more})")
        console.print(table if any(figures["states"].values()) else f"{name}: nothing was sent yet.")
        if figures["not_before"]:
            console.print(f"{name} asked to be left alone until {figures['not_before']:%Y-%m-%d %H:%M:%S} UTC.")
