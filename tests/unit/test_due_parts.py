"""The rows due are read in parts, while the warehouse is free for others between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.support.frames import event_frame
from tests.support.shop import NOW, orders, write_marts
from uploader.cli.survey import due_parts
from uploader.clock import naive
from uploader.errors import QualityGateFailed, TryLater
from uploader.warehouse import Profile, outbox, reading

ROWS = 3
NAMES = [f"purchase.{number}" for number in range(1, 9)]


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    """A warehouse with eight orders that are due."""
    path = tmp_path / "warehouse.duckdb"
    write_marts(path, event_frame(*orders(len(NAMES))))
    return Profile(path, "main", "raw")


def parts(profile: Profile) -> Iterator[pl.DataFrame]:
    """Begin to read them, three at a time; the warehouse is closed again."""
    with reading(profile) as connection:
        keys = outbox.read_keys(connection, profile, naive(NOW))
        judged = keys.with_columns(outbox.read_digests(connection, profile, keys))
        return due_parts(profile, connection, judged.iter_slices(ROWS), lambda _seconds: None)


def write(profile: Profile, statement: str) -> None:
    """Write to the warehouse, as dbt would meanwhile."""
    with duckdb.connect(str(profile.path)) as connection:
        connection.execute(statement).fetchall()


def test_every_row_comes_once_and_in_order(profile: Profile) -> None:
    """As many as asked for at a time, and nobody is kept from writing between two parts."""
    found = []
    for number, part in enumerate(parts(profile)):
        write(profile, f"create table other_{number} (x integer)")
        found.append(part["event_key"].to_list())
    assert found == [NAMES[:3], NAMES[3:6], NAMES[6:]]


def test_a_key_that_comes_twice_has_one_digest_and_is_not_sent(profile: Profile) -> None:
    """One may be sent and the other not: which of the two is the event, nobody knows."""
    write(
        profile,
        "insert into fct_conversion_outbox select * replace (false as is_sendable, 'no_match_key' as hold_reason) "
        "from fct_conversion_outbox where event_key = 'purchase.2'",
    )
    keys = pl.DataFrame({"destination": "meta", "event_key": NAMES[:3]})
    with reading(profile) as connection:
        assert len(outbox.read_digests(connection, profile, keys)) == len(keys)
        with pytest.raises(QualityGateFailed, match="3 rows asked for, 4 found"):
            outbox.read_rows(connection, profile, keys)


@pytest.mark.parametrize(
    "statement",
    [
        "update fct_conversion_events set value = 11 where event_key = 'purchase.8'",
        "update fct_conversion_outbox set is_sendable = false where event_key = 'purchase.8'",
        "delete from fct_conversion_outbox where event_key = 'purchase.8'",
    ],
)
def test_rows_that_changed_meanwhile_do_not_leave(profile: Profile, statement: str) -> None:
    """They were judged as they were before: the run ends, and what is left is for the next one."""
    reader = parts(profile)
    assert next(reader)["event_key"].to_list() == NAMES[:3]
    write(profile, statement)
    assert next(reader)["event_key"].to_list() == NAMES[3:6]
    with pytest.raises(TryLater, match="Rows changed while this run was sending"):
        next(reader)
