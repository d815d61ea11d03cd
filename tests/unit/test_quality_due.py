"""What the gate reads of the rows due: every one of them, and as much of each as its rules need."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.support.frames import event_frame
from tests.support.quality_rows import sha256
from tests.support.shop import write_marts
from uploader.errors import QualityGateFailed
from uploader.quality import LOOKED_INTO, MATCH_KEYS, Due
from uploader.warehouse import Profile, outbox, reading
from uploader.warehouse.judged import read_judged

PERSON = "jane.canary@example.com"
KEYS = "select destination, event_key from fct_conversion_outbox order by event_key desc"


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    """Name a warehouse in a folder of its own."""
    return Profile(tmp_path / "warehouse.duckdb", "main", "raw")


def changed(profile: Profile, *statements: str) -> None:
    """Change the marts."""
    with duckdb.connect(str(profile.path)) as connection:
        for statement in statements:
            connection.execute(statement)


def multiplied(profile: Profile, rows: int) -> None:
    """Write marts with so many good rows, which are numbered from 0."""
    write_marts(profile.path, event_frame({"email_sha256": sha256("a"), "client_ip": "203.0.113.77"}))
    for table in ("fct_conversion_events", "fct_conversion_outbox"):
        changed(
            profile,
            f"create or replace table {table} as select t.* replace ('purchase.' || n as event_key, "
            f"'purchase.' || n as event_id) from {table} as t, range({rows}) as numbers(n)",
        )


def gathered(profile: Profile, *, whole_rows: bool = False) -> Due:
    """Return what the gate knows of all rows; with ``whole_rows``, of the rows as they are sent."""
    with reading(profile) as connection:
        keys = connection.sql(KEYS).pl()
        if whole_rows:
            return Due.gather([outbox.read_rows(connection, profile, keys)])
        return Due.gather(read_judged(connection, profile, keys, LOOKED_INTO, MATCH_KEYS))


def test_every_row_due_is_looked_at_wherever_it_stands(profile: Profile) -> None:
    """Rows are read in parts: none is left out, taken twice, or judged by another one's values."""
    multiplied(profile, 70_000)
    wrong = "event_key[10:]::int % 7000 in (0, 6999)"
    changed(
        profile,
        f"update fct_conversion_events set email_sha256 = '{PERSON}' where {wrong}",
        f"update fct_conversion_outbox set consent_at_event = null where {wrong}",
    )
    due = gathered(profile)
    expected = {f"purchase.{n}" for n in range(70_000) if n % 7000 in (0, 6999)}
    assert (due.height, due.values.height, due.rows["event_key"].n_unique()) == (70_000, 70_000, 70_000)
    for rule in ("email_sha256_is_hash", "consent_is_respected"):
        assert set(due.rows.filter(~due.values[rule])["event_key"]) == expected
    assert due.values["is_sendable"].all()


def test_rows_keep_the_order_in_which_they_are_sent(profile: Profile) -> None:
    """The examples that a report shows are the first rows, whatever order the warehouse answers in."""
    multiplied(profile, 70_000)
    keys = sorted((f"purchase.{n}" for n in range(70_000)), reverse=True)
    assert gathered(profile).rows["event_key"].to_list() == keys


def test_what_is_read_judges_as_the_rows_that_are_sent(profile: Profile) -> None:
    """Narrow columns and withheld ones give each rule the values that whole rows give it."""
    rows = [
        {"email_sha256": PERSON, "client_ip": "203.0.113.77"},
        {"email_sha256s": [sha256("a"), PERSON], "fbp": "fb.1.1700000000000.canary"},
        {"withheld_fields": " client_ip order_id email_sha256 ", "client_ip": "203.0.113.77", "email_sha256": PERSON},
        {"withheld_fields": " user_agent ", "user_agent": "CanaryBrowser/1.0", "client_ip": "203.0.113.77"},
        {"value": "-1", "currency": PERSON, "action_source": PERSON},
        {"consent_at_as_of": "denied", "is_limited_data_use": True},
        {"event_name": "Lead", "value": None, "currency": None},
    ]
    write_marts(profile.path, event_frame(*rows))
    narrow, whole = gathered(profile), gathered(profile, whole_rows=True)
    assert narrow.values.equals(whole.values)
    assert narrow.rows.equals(whole.rows)
    assert (narrow.broken, whole.broken) == ({}, {})


def test_nothing_personal_is_kept(profile: Profile) -> None:
    """What stays in memory, and can reach a report, are names, times and answers."""
    multiplied(profile, 3)
    changed(profile, f"update fct_conversion_events set email_sha256 = '{PERSON}', user_agent = '{PERSON}'")
    due = gathered(profile)
    texts = [column.name for frame in (due.rows, due.values) for column in frame if column.dtype == pl.String]
    named = {"destination", "event_key", "event_name", "event_id", "action_source", "currency"}
    assert set(texts) == named


@pytest.mark.parametrize(
    "statement",
    [
        "delete from fct_conversion_events where event_key = 'purchase.1'",
        "insert into fct_conversion_events from fct_conversion_events where event_key = 'purchase.1'",
        "update fct_conversion_events set event_key = 'purchase.2' where event_key = 'purchase.1'",
        "insert into fct_conversion_outbox from fct_conversion_outbox where event_key = 'purchase.1'",
    ],
)
def test_rows_that_cannot_be_found_once_stop_the_run(profile: Profile, statement: str) -> None:
    """A row that is not there, or there twice, is not judged as if all were well."""
    multiplied(profile, 3)
    with reading(profile) as connection:
        keys = connection.sql(KEYS).pl()
    changed(profile, statement)
    with reading(profile) as connection, pytest.raises(QualityGateFailed, match="do not fit: 3 rows asked for"):
        Due.gather(read_judged(connection, profile, keys, LOOKED_INTO, MATCH_KEYS))
