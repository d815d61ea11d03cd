"""What most commands look at first: the marts, the sent log, and what is due."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import polars as pl

from uploader.cli.context import environment
from uploader.clock import naive
from uploader.delivery.chunks import ahead
from uploader.delivery.planning import MARKS, PART_ROWS, Plan, Planner, watched_from
from uploader.delivery.targets import Target, targets
from uploader.destinations import names
from uploader.errors import QualityGateFailed, UsageError
from uploader.events import EVENTS, OUTBOX
from uploader.warehouse import outbox
from uploader.warehouse.duckdb import frame, keep_small, let_grow, quoted
from uploader.warehouse.window import SPAN_ROWS, read_spans, read_strays

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from uploader.cli.context import Context
    from uploader.delivery.planning import DigestsOf
    from uploader.ledger import Ledger
    from uploader.warehouse import Connection, Visits


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
    context: Context,
    connection: Connection,
    ledger: Ledger | None,
    chosen: Sequence[Target],
    choice: Choice,
    digests: DigestsOf | None = None,
    most: int = SPAN_ROWS,
) -> list[Plan]:
    """Compare the outbox with the sent log, for each destination, with at most so many rows in memory.

    ``digests`` returns the ``row_digest`` of rows of a destination (its id); without it, nobody asks for them.
    """
    now, profile = context.clock(), context.profile
    begun = min((watched_from(target, ledger, now) for target in chosen), default=naive(now))
    keep_small(connection)
    spans = read_spans(connection, profile, begun, most)
    strays = read_strays(connection, profile, begun, spans)
    planners = [Planner(target, strays, ledger, now, choice.since) for target in chosen]
    # The next rows are read while these are compared.
    with connection.cursor() as other:
        other.execute("set TimeZone = 'UTC'")
        with closing(ahead(outbox.read_keys(other, profile, begun, span) for span in spans)) as parts:
            for keys in parts:
                for planner in planners:
                    planner.add(keys, digests)
    let_grow(connection, profile)
    return [planner.finish() for planner in planners]


def due_rows(context: Context, connection: Connection, made: Sequence[Plan], limit: int | None) -> pl.DataFrame:
    """Return the whole rows that are due, at most ``limit`` of each destination, in the order to send them."""
    keys = [part.select("destination", "event_key") for entry in made for part in entry.queue(PART_ROWS, limit)]
    if not keys:
        return pl.DataFrame(schema={**EVENTS, **OUTBOX})
    return outbox.read_rows(connection, context.profile, pl.concat(keys))


def due_parts(
    visits: Visits, connection: Connection, keys: Iterator[pl.DataFrame], columns: Collection[str]
) -> Iterator[pl.DataFrame]:
    """Return ``columns`` and `MARKS` of the rows of each part of ``keys``; see `uploader.delivery.planning.Plan.queue`.

    The first part is read now, over ``connection``. The others are read when they are asked for, each on a visit of its
    own: so the warehouse is free while requests are made. Should it be written to meanwhile, the rows are compared with
    what was judged: `TryLater` is raised where they changed.
    """
    profile, named = visits.profile, ("destination", "event_key", "event_at")
    seen = outbox.state(connection, profile)

    def read(over: Connection, part: pl.DataFrame, *compared: str) -> pl.DataFrame:
        rows = outbox.read_rows(over, profile, part.select(*named, *compared), columns)
        return rows.hstack(part.select(MARKS))

    first = [read(connection, part) for part in islice(keys, 1)]

    def later() -> Iterator[pl.DataFrame]:
        for part in keys:
            with visits.visit() as again:
                is_same = seen and outbox.state(again, profile) == seen
                rows = read(again, part) if is_same else read(again, part, "row_digest")
            yield rows

    return chain(first, later())


def refuse_failed_build(context: Context, connection: Connection) -> None:
    """Raise `QualityGateFailed` when the last dbt build did not pass."""
    failed = outbox.build_failures(connection, context.profile)
    if failed:
        shown = "\n".join(f"  {name}" for name in failed[:10])
        more = f"\n  and {len(failed) - 10} more" if len(failed) > 10 else ""
        raise QualityGateFailed(
            f"The last dbt build failed or did not end; nothing was sent:\n{shown}{more}\n"
            "Mend them and run `dbt build` again."
        )
