"""``uploader requeue``: give events that the platform refused another chance."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from uploader.cli.people import Decision, Request, decide
from uploader.ledger import State

_DECISION: Final = Decision(
    "requeue",
    State.DEAD,
    State.RELEASED,
    "requeued",
    "They are refused again unless what the platform minded is mended.",
    "They are as good as new: the next `uploader send` takes their rows as they are then.",
)


def requeue(
    event_id: Annotated[list[str] | None, typer.Argument(metavar="EVENT_ID", help="Dead events.")] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="CODE", help="All with this code: 100/2804050, or a part of it.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    destination: Annotated[list[str] | None, typer.Option(help="Of this one only; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Let dead events be sent again, once their rows are mended. They never arrived, so none is counted twice.

    `uploader status --dead` lists them. Name their ids, or give --reason, or --all.

    Example: uploader requeue --reason 2804050
    """
    return decide(_DECISION, Request(event_id or (), reason, every, destination or (), dry_run, yes, as_json))
