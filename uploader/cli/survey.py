"""What most commands look at first: the marts, the sent log, and what is due."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.cli.context import environment
from uploader.clock import naive
from uploader.delivery.planning import Plan, plan, watched_from
from uploader.delivery.targets import Target, targets
from uploader.destinations import names
from uploader.errors import QualityGateFailed, UsageError
from uploader.events import EVENTS, OUTBOX, TIME
from uploader.report import plural
from uploader.warehouse import outbox, reading
from uploader.warehouse.duckdb import frame, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from uploader.cli.context import Context
    from uploader.ledger import Ledger
    from uploader.warehouse import Connection, Profile


_KEYS: Final = pl.Schema(
    {"destination": pl.String(), "event_key": pl.String(), "event_at": TIME, "row_digest": pl.UInt64()}
)
_PART_ROWS: Final = 20_000


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
    """Return what names the rows due, at most ``limit`` of each destination, in the order to send them.

    Columns: ``destination``, ``event_key``, ``event_at``, ``row_digest``.
    """
    if not made:
        return pl.DataFrame(schema=_KEYS)
    due = [entry.due.select(*_KEYS) for entry in made]
    return pl.concat(due if limit is None else [keys.head(limit) for keys in due])


def due_rows(context: Context, connection: Connection, made: Sequence[Plan], limit: int | None) -> pl.DataFrame:
    """Return the whole rows that are due, at most ``limit`` of each destination, in the order to send them."""
    if not made:
        return pl.DataFrame(schema={**EVENTS, **OUTBOX})
    return outbox.read_rows(connection, context.profile, due_keys(made, limit).select("destination", "event_key"))


def due_parts(
    profile: Profile, connection: Connection, keys: pl.DataFrame, sleep: Callable[[float], None], rows: int = _PART_ROWS
) -> Iterator[pl.DataFrame]:
    """Return the whole rows of ``keys`` (see `due_keys`) in parts of ``rows``, so that they are never all in memory.

    The first part is read now. The others are read when they are asked for, over a connection of their own: so the
    warehouse is free while requests are made. Should it be written to meanwhile, the rows are compared with what was
    judged: `TryLater` is raised where they changed.
    """
    plain, seen = keys.drop("row_digest"), _written_at(profile)
    first = outbox.read_rows(connection, profile, plain.head(rows))

    def later() -> Iterator[pl.DataFrame]:
        for start in range(rows, keys.height, rows):
            with reading(profile, sleep) as again:
                known = plain if _written_at(profile) == seen else keys
                part = outbox.read_rows(again, profile, known.slice(start, rows))
            yield part

    return chain([first], later())


def _written_at(profile: Profile) -> list[tuple[int, int]]:
    """Return when the warehouse's files were written last (nanoseconds), and their sizes."""
    files = (profile.path, profile.path.with_name(f"{profile.path.name}.wal"))
    found = [file.stat() for file in files if file.exists()]
    return [(file.st_mtime_ns, file.st_size) for file in found]


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
