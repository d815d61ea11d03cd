"""What platforms said later of requests that they had received: which to ask about, and what they said."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.clock import microseconds

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.ledger.log import Ledger

_OLDEST: Final = timedelta(days=7)
"""A request that has no result after that will have none."""
_MOST: Final = 50
"""The newest first; the others are asked about by later runs."""
_OPEN: Final = pl.Schema({"batch_id": pl.Int64, "trace_id": pl.String, "events": pl.Int64})


def without_result(ledger: Ledger, destination_id: str, now: datetime, after: timedelta) -> pl.DataFrame:
    """Return requests that were received at least ``after`` ago and have no result: batch_id, trace_id, events."""
    return ledger.frame(
        "select b.batch_id, b.trace_id, b.events from batch b join destination d on "
        "d.destination_no = b.destination_no where d.destination_id = :destination and b.state = 'acked' "
        "and b.code is null and b.trace_id is not null and b.settled_at between :oldest and :newest "
        f"order by b.batch_id desc limit {_MOST}",
        {
            "destination": destination_id,
            "oldest": microseconds(now - _OLDEST),
            "newest": microseconds(now - after),
        },
        _OPEN,
    )


def record_result(ledger: Ledger, batch_id: int, code: str) -> None:
    """Keep a request's result as its code. Its events stay as they are: which of them it is about, nobody says."""
    with ledger.maintenance():
        query = "update batch set code = :code where batch_id = :batch_id"
        ledger.store.execute(query, {"code": code, "batch_id": batch_id})
