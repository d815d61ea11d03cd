"""Whether a batch may still be sent, when its turn comes after other requests."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from uploader.clock import microseconds
from uploader.delivery.verdicts import in_time, plain_until
from uploader.diff import Rules

SENT = datetime(2026, 11, 20, 12)
FAR = SENT + timedelta(days=30)
SECOND = timedelta(seconds=1)
# 48 hours of which an hour is kept; ten minutes are kept from the end of the accepted age.
RULES = Rules(timedelta(hours=48), pixel_redundant=True)
HOURS = timedelta(hours=47)


def batch(**row: object) -> pl.DataFrame:
    """Return two rows, of which the second stays in time for longer than any of these tests looks."""
    usual = {"event_at": FAR, "expires_at": FAR, "action_source": "app", "first_intent_at": None, "resend_us": 0}
    schema = {"event_at": pl.Datetime("us"), "expires_at": pl.Datetime("us"), "first_intent_at": pl.Int64}
    rows = pl.DataFrame([usual | row, usual], schema_overrides=schema).with_row_index("number")
    return rows.with_columns(plain_until(RULES))


@pytest.mark.parametrize(
    ("row", "last", "is_late"),
    [
        ({"expires_at": SENT}, SENT - timedelta(minutes=10) - SECOND, True),
        ({"first_intent_at": microseconds(SENT), "resend_us": HOURS // timedelta(microseconds=1)}, SENT + HOURS, False),
        ({"event_at": SENT, "action_source": "website"}, SENT + HOURS, False),
    ],
    ids=["too old", "in doubt for too long", "the pixel's window is over"],
)
def test_a_row_leaves_the_batch_when_its_time_is_over(row: dict[str, object], last: datetime, is_late: bool) -> None:
    """Up to the last moment both go; a second later the first one does not, and only what is too old is late."""
    rows = batch(**row)
    going, late = in_time(rows, RULES, last)
    assert (going["number"].to_list(), late.height) == ([0, 1], 0)
    going, late = in_time(rows, RULES, last + SECOND)
    assert going["number"].to_list() == [1]
    assert late["number"].to_list() == ([0] if is_late else [])


def test_a_row_without_an_end_does_not_go() -> None:
    """Nobody could say until when it may; nor is it called too old."""
    going, late = in_time(batch(expires_at=None), RULES, SENT)
    assert (going["number"].to_list(), late["number"].to_list()) == ([1], [])
