"""Copies what changed in the sent log into the warehouse, and reads how far that copy has come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from uploader.cli.console import errors
from uploader.errors import UploaderError
from uploader.ledger import Publication, reading
from uploader.spool import Spool
from uploader.warehouse import writing
from uploader.warehouse.sent_log import publish, read_publication

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.cli.context import Context
    from uploader.ledger import Ledger
    from uploader.warehouse import Connection
    from uploader.warehouse.duckdb import Sleep


def published_so_far(context: Context, connection: Connection) -> Publication | None:
    """Return whose copy the warehouse holds and how far it has come, or None without one."""
    found = read_publication(connection, context.profile)
    return Publication(*found) if found else None


@contextmanager
def publishing(context: Context, ledger: Ledger, published: Publication | None, sleep: Sleep) -> Iterator[None]:
    """Copy what changed into the warehouse, in a thread while the caller does something else.

    The sent log is read before; what cannot be written now is written by the next run.
    """
    mark = published.high_water if published and published.ledger_id == ledger.ledger_id else 0
    if ledger.high_water == mark:
        yield
        return
    changes = Spool(reading.CHANGES)
    for part in reading.changes_in_parts(ledger, mark):
        changes.put(part)
    with ThreadPoolExecutor(1) as thread:
        copying = thread.submit(_copy, context, changes, Publication(ledger.ledger_id, ledger.high_water), sleep)
        yield
        copying.result()


def publish_changes(context: Context, ledger: Ledger, published: Publication | None, sleep: Sleep) -> None:
    """Copy what changed into the warehouse; see `publishing`."""
    with publishing(context, ledger, published, sleep):
        pass


def _copy(context: Context, changes: Spool, now: Publication, sleep: Sleep) -> None:
    try:
        with writing(context.profile, sleep) as connection:
            publish(connection, context.profile, changes, now.ledger_id, now.high_water)
    except UploaderError as error:
        errors.print(f"The table sent_log is left for the next run: {error}", markup=False, style="yellow")
