"""``uploader resolve``: decide about events that are held."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from uploader.cli.people import Decision, Request, decide
from uploader.ledger import State


class As(StrEnum):
    """What a held event is taken for."""

    SENT = "sent"
    RESEND = "resend"
    DROP = "drop"


_OUTCOMES: Final = {
    As.SENT: (
        State.ACKED,
        "If the platform never took them, they are never counted.",
        "They count as sent and are never sent again.",
    ),
    As.RESEND: (
        State.RELEASED,
        "They may be counted twice: the platform may have taken them, and may not recognize them any more.",
        "They are as good as new: the next `uploader send` decides by age and consent.",
    ),
    As.DROP: (
        State.SUPPRESSED,
        "If the platform never took them, they are never counted.",
        "They are never sent again.",
    ),
}


def resolve(
    as_: Annotated[As, typer.Option("--as", help="Whether they arrived, are to be sent again, or given up.")],
    event_id: Annotated[list[str] | None, typer.Argument(metavar="EVENT_ID", help="Held events.")] = None,
    reason: Annotated[str | None, typer.Option(help="All that are held for this reason.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are held.")] = False,
    destination: Annotated[list[str] | None, typer.Option(help="Of this one only; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Decide about held events: those that may have arrived, and that are too old to be sent again by themselves.

    sent: look at them as arrived. resend: send them again if they still may be. drop: never send them.
    `uploader status --held` lists them. Name their ids, or give --reason, or --all.

    Example: uploader resolve --as resend --reason past_dedup_window --dry-run
    """
    into, caution, outlook = _OUTCOMES[as_]
    decision = Decision(f"resolve --as {as_}", State.HELD, into, f"resolved_{as_}", caution, outlook)
    return decide(decision, Request(event_id or (), reason, every, destination or (), dry_run, yes, as_json))
