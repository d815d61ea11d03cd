"""Copies what changed in the sent log into the warehouse, and reads how far that copy has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uploader.cli.console import errors
from uploader.errors import UploaderError
from uploader.ledger import Publication, reading
from uploader.spool import Spool
from uploader.warehouse import writing
from uploader.warehouse.sent_log import publish, read_publication

if TYPE_CHECKING:
    from uploader.cli.context import Context
    from uploader.ledger import Ledger
    from uploader.warehouse import Connection
    from uploader.warehouse.duckdb import Sleep


def published_so_far(context: Context, connection: Connection) -> Publication | None:
    """Return whose copy the warehouse holds and how far it has come, or None without one."""
    found = read_publication(connection, context.profile)
    return Publication(*found) if found else None


def publish_changes(context: Context, ledger: Ledger, published: Publication | None, sleep: Sleep) -> None:
    """Copy what changed into the warehouse; what cannot be written now is written by the next run."""
    mark = published.high_water if published and published.ledger_id == ledger.ledger_id else 0
    if ledger.high_water == mark:
        return
    changes = Spool(reading.CHANGES)
    for part in reading.changes_in_parts(ledger, mark):
        changes.put(part)
    try:
        with writing(context.profile, sleep) as connection:
            publish(connection, context.profile, changes, ledger.ledger_id, ledger.high_water)
    except UploaderError as error:
        errors.print(f"The table sent_log is left for the next run: {error}", markup=False, style="yellow")
