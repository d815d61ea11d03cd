"""What most commands look at first: the marts, the sent log, and what is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from uploader.cli.context import environment
from uploader.clock import naive
from uploader.delivery.planning import Plan, plan, watched_from
from uploader.delivery.targets import Target, targets
from uploader.destinations import names
from uploader.errors import QualityGateFailed, UsageError
from uploader.events import EVENTS, OUTBOX
from uploader.report import plural
from uploader.warehouse import outbox
from uploader.warehouse.duckdb import frame, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from uploader.cli.context import Context
    from uploader.ledger import Ledger
    from uploader.warehouse import Connection


@dataclass(frozen=True, slots=True)
class Choice:
    """Which part of the work a command is asked for."""

    destinations: Sequence[str] = ()
    since: datetime | None = None
    rehearsal: bool = False


def candidates(context: Context, connection: Connection, choice: Choice) -> list[Target]:
    """Return the destinations that the seed enables, as far as they are asked for."""
    outbox.require_marts(connection, context.profile)
    table = quoted(context.profile.schema, "destinations")
    enabled = frame(connection, f"select destination from {table} where is_enabled order by 1")["destination"].to_list()
    switched_off = sorted(set(choice.destinations) & set(names()) - set(enabled))
    if switched_off:
        raise UsageError(f"{', '.join(switched_off)} is switched off in seeds/destinations.csv.")
    return targets(enabled, context.settings, environment(), choice.destinations, rehearsal=choice.rehearsal)


def plans(
    context: Context, connection: Connection, ledger: Ledger | None, chosen: Sequence[Target], choice: Choice
) -> list[Plan]:
    """Compare the outbox with the sent log, for each destination."""
    now = context.clock()
    begun = min((watched_from(target, ledger, now) for target in chosen), default=naive(now))
    keys = outbox.read_keys(connection, context.profile, begun)
    return [plan(target, keys, ledger, now, choice.since) for target in chosen]


def due_keys(made: Sequence[Plan], limit: int | None = None) -> pl.DataFrame:
    """Return ``destination`` and ``event_key`` of what is due, at most ``limit`` of each, in the order to send it."""
    if not made:
        return pl.DataFrame(schema={"destination": pl.String, "event_key": pl.String})
    due = [entry.due.select("destination", "event_key") for entry in made]
    return pl.concat(due if limit is None else [keys.head(limit) for keys in due])


def due_rows(context: Context, connection: Connection, made: Sequence[Plan], limit: int | None) -> pl.DataFrame:
    """Return the whole rows that are due, at most ``limit`` of each destination, in the order to send them."""
    if not made:
        return pl.DataFrame(schema={**EVENTS, **OUTBOX})
    return outbox.read_rows(connection, context.profile, due_keys(made, limit))


def refuse_failed_build(context: Context, connection: Connection) -> None:
    """Raise `QualityGateFailed` when the last dbt build did not pass."""
    failed = outbox.build_failures(connection, context.profile)
    if failed:
        shown = "\n".join(f"  {name}" for name in failed[:10])
        more = f"\n  and {len(failed) - 10} more" if len(failed) > 10 else ""
        raise QualityGateFailed(
            f"The last dbt build failed ({plural(len(failed), 'node')}); nothing was sent:\n{shown}{more}\n"
            "Mend them and run `dbt build` again."
        )
