"""The rows due are read in parts, while the warehouse is free for others between them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.support.frames import event_frame
from tests.support.shop import NOW, orders, write_marts
from uploader.cli.survey import due_parts
from uploader.clock import naive
from uploader.delivery.planning import MARKS
from uploader.diff import Lane
from uploader.errors import ConfigurationError, QualityGateFailed, TryLater
from uploader.warehouse import Profile, Visits, outbox, reading

ROWS = 3
NAMES = [f"purchase.{number}" for number in range(1, 9)]
MARKED = (
    pl.int_range(pl.len()).alias("first_intent_at"),
    pl.lit(Lane.NEW.value).alias("lane"),
    pl.lit(0).alias("quarantines"),
    pl.lit(0).alias("resend_us"),
)
"""What a plan says of each row; here, the first one of them tells the rows apart."""


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
        judged = keys.with_columns(outbox.read_digests(connection, profile, keys)).with_columns(MARKED)
        return due_parts(Visits(profile), connection, judged.iter_slices(ROWS), {"event_key", "value"})


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


def test_a_key_that_comes_twice_does_not_hide_one_that_is_missing(profile: Profile) -> None:
    """As many rows as were asked for are not those that were asked for."""
    write(profile, "update fct_conversion_events set event_key = 'purchase.2' where event_key = 'purchase.3'")
    keys = pl.DataFrame({"destination": "meta", "event_key": NAMES[:3]})
    with reading(profile) as connection, pytest.raises(QualityGateFailed, match="3 rows asked for, 3 others found"):
        outbox.read_rows(connection, profile, keys)


def test_each_row_has_the_marks_of_its_own_key(profile: Profile) -> None:
    """A row's doubt, lane and time to be sent again go with it."""
    marked = pl.concat(parts(profile)).select("event_key", "first_intent_at")
    assert dict(marked.rows()) == {name: number for number, name in enumerate(NAMES)}


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


def test_visits_at_the_same_time_share_one_opening(profile: Profile) -> None:
    """Each destination reads in a thread of its own; only when the last of them has read is the warehouse free."""
    visits, count = Visits(profile), "select count(*) from fct_conversion_events"
    for _ in range(2):
        with ExitStack() as first:
            first.enter_context(visits.visit())
            with visits.visit() as second:
                first.close()
                with pytest.raises(duckdb.Error):
                    write(profile, "drop table fct_conversion_outbox")
                assert second.execute(count).fetchall() == [(len(NAMES),)]
        write(profile, "create or replace table other (x integer)")


def test_a_visit_is_in_utc_and_has_the_limits_of_one(profile: Profile) -> None:
    """Each visit is a connection of its own, with settings of its own."""
    visits = Visits(profile)
    for _ in range(2):
        with visits.visit() as connection:
            asked = "select current_setting('TimeZone'), current_setting('threads')"
            assert connection.execute(asked).fetchall() == [("UTC", 1)]


def test_a_visit_waits_for_a_busy_warehouse_and_then_gives_up(profile: Profile) -> None:
    """A minute, while another process has it open; the next visit finds it free again."""
    waited = list[float]()
    visits = Visits(profile, waited.append)
    script = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(profile.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as dbt:
        assert dbt.stdout is not None
        assert dbt.stdout.readline() == "open\n"
        with pytest.raises(TryLater, match="is busy"), visits.visit():
            pass
        dbt.communicate("")
    assert sum(waited) == 60
    with visits.visit() as connection:
        assert connection.execute("select count(*) from fct_conversion_events").fetchall() == [(len(NAMES),)]


def test_a_warehouse_that_went_away_is_told_of(profile: Profile) -> None:
    """By its path, and with what to do."""
    visits = Visits(profile)
    profile.path.unlink()
    with pytest.raises(ConfigurationError, match="There is no warehouse at"), visits.visit():
        pass


def test_only_the_columns_that_are_asked_for_are_read(profile: Profile) -> None:
    """And what the outbox withholds stays empty, although it says so in a column that was not asked for."""
    write(profile, "update fct_conversion_outbox set withheld_fields = ' value ' where event_key = 'purchase.1'")
    (first, *_rest) = parts(profile)
    assert sorted(first.columns) == sorted(["event_key", "value", *MARKS])
    assert first["value"].is_null().to_list() == [True, False, False]
