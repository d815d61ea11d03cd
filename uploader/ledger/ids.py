"""The index by id, in whose place a run that writes very many events makes a new one at its end.

Nothing but time depends on it. Whoever asks for events by their ids asks for the index first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uploader.ledger.log import Ledger


def expect(ledger: Ledger, events: int) -> None:
    """See `uploader.ledger.store.Store.expect`."""
    with ledger.turn:
        ledger.store.expect(events)


def index_ids(ledger: Ledger) -> None:
    """See `uploader.ledger.store.Store.index_ids`."""
    with ledger.turn:
        ledger.store.index_ids()
