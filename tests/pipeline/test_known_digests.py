"""What ``check`` found out of the rows it judged is not found out again, unless the warehouse was written to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.support.quality_rows import NOW
from tests.support.shop import Shop, orders
from uploader.cli.context import Context, output_folder
from uploader.cli.digests import Digests
from uploader.clock import naive
from uploader.quality import KEY_DIGEST, Judged, Report
from uploader.quality.verdict import verdict_files
from uploader.warehouse import outbox, reading

MADE_UP = [11, 22, 33]


def digests(*, may_be_known: bool = True) -> list[int]:
    """Return the digests of the three orders."""
    context = Context.load()
    with reading(context.profile) as connection:
        keys = outbox.read_keys(connection, context.profile, naive(NOW))
        return Digests(context, connection, may_be_known=may_be_known).of("meta:42", keys).to_list()


@pytest.fixture
def judged(shop: Shop) -> Path:
    """Three orders, and a passing verdict that tells made-up digests of them; returns the warehouse."""
    shop.sells(*orders(3))
    _judge(range(1, 4))
    return shop.warehouse


def _judge(numbers: range) -> None:
    context, folder = Context.load(), output_folder()
    frame = pl.DataFrame({"event_key": [f"purchase.{n}" for n in numbers], "row_digest": MADE_UP[: len(numbers)]})
    rows = {"meta:42": frame.select(KEY_DIGEST, pl.col("row_digest").cast(pl.UInt32))}
    report = Report((), 3, 3, NOW, context.settings.quality)
    folder.mkdir(parents=True, exist_ok=True)
    with reading(context.profile) as connection:
        state = outbox.state(connection, context.profile)
    for name, content in verdict_files(report, Judged(rows, state)).items():
        (folder / name).write_bytes(content)


def test_what_was_judged_is_believed_while_nothing_was_written(judged: Path) -> None:
    """A row that ``check`` itself asks about is read."""
    assert digests() == MADE_UP
    assert set(digests(may_be_known=False)).isdisjoint(MADE_UP)
    assert digests() == MADE_UP


def test_after_any_write_the_rows_are_read(judged: Path, shop: Shop) -> None:
    """Whatever it was: only the time of the file tells."""
    read = digests(may_be_known=False)
    shop.sql("create table other (x integer)")
    assert digests() == read


def test_with_a_row_that_was_not_judged_all_are_read(judged: Path) -> None:
    """So are they without a verdict, or with one under other thresholds."""
    read = digests(may_be_known=False)
    _judge(range(1, 3))
    assert digests() == read
    (output_folder() / "verdict.json").unlink()
    assert digests() == read


def test_under_another_threshold_the_rows_are_read(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That verdict does not count."""
    monkeypatch.setenv("UPLOADER__QUALITY__MAX_OUTLIER_RATE", "0.5")
    assert digests() == digests(may_be_known=False)


def test_what_was_judged_in_another_schema_is_not_believed(judged: Path, shop: Shop) -> None:
    """One file may hold the tables of two targets, with the same keys."""
    shop.sql("create schema other")
    for table in ("fct_conversion_events", "fct_conversion_outbox"):
        shop.sql(f"create table other.{table} as from {table}")
    _judge(range(1, 4))
    profile = replace(Context.load().profile, schema="other")
    with reading(profile) as connection:
        keys = outbox.read_keys(connection, profile, naive(NOW))
        context = replace(Context.load(), profile=profile)
        found = Digests(context, connection, may_be_known=True).of("meta:42", keys).to_list()
    assert (digests(), set(found).isdisjoint(MADE_UP)) == (MADE_UP, True)


def test_a_view_is_read_whatever_the_file_says(judged: Path, shop: Shop) -> None:
    """It may show another file, that changes by itself."""
    shop.sql("alter table fct_conversion_events rename to kept")
    shop.sql("create view fct_conversion_events as from kept")
    _judge(range(1, 4))
    assert digests() == digests(may_be_known=False)
