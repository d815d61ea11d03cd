"""Frames that wait in a file come out as they were put in."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest

from uploader.errors import TryLater
from uploader.spool import Spool, parts

SCHEMA = pl.Schema({"name": pl.String(), "number": pl.Int64()})
MANY = 400_000


def numbered(first: int, end: int) -> pl.DataFrame:
    """Return rows with their numbers, and names that do not compress well."""
    numbers = pl.DataFrame({"number": range(first, end)})
    return numbers.select(pl.col("number").hash().cast(pl.String).alias("name"), "number")


@pytest.mark.parametrize("rows", [0, 3, MANY])
def test_what_is_put_in_first_comes_out_first_as_often_as_asked(rows: int) -> None:
    """Few rows, or so many that a file is needed."""
    spool = Spool(SCHEMA)
    for first in range(0, rows, MANY // 4):
        spool.put(numbered(first, min(first + MANY // 4, rows)).with_columns(other=pl.lit(1)))
    assert spool.height == rows
    for _ in range(2):
        assert pl.concat(spool).equals(numbered(0, rows))


def test_what_is_read_does_not_disturb_what_is_put_in() -> None:
    """A list may be read while it grows."""
    spool = Spool(SCHEMA)
    spool.put(numbered(0, 2))
    reader = iter(spool)
    next(reader)
    spool.put(numbered(2, 4))
    assert pl.concat(spool)["number"].to_list() == [0, 1, 2, 3]


def test_no_file_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no name, not even while it is needed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = Spool(SCHEMA)
    spool.put(numbered(0, MANY))
    assert spool.height == MANY
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent by then, and another run may find room."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(TryLater, match="nowhere"):
        Spool(SCHEMA).put(numbered(0, MANY))


def test_where_there_is_no_place_at_all_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose every folder is read-only."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", list)
    with pytest.raises(TryLater, match=r"any folder for temporary files .* TMPDIR"):
        Spool(SCHEMA).put(numbered(0, MANY))


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (None, [[0, 1, 2], [3, 4, 5], [6, 7]]),
        (100, [[0, 1, 2], [3, 4, 5], [6, 7]]),
        (6, [[0, 1, 2], [3, 4, 5]]),
        (4, [[0, 1, 2], [3]]),
        (0, []),
    ],
)
def test_frames_are_cut_anew(limit: int | None, expected: list[list[int]]) -> None:
    """Each part is full but the last one, whatever the frames were; no row comes twice."""
    frames = [numbered(0, 2), numbered(2, 7), numbered(7, 7), numbered(7, 8)]
    assert [part["number"].to_list() for part in parts(frames, 3, limit)] == expected


@pytest.mark.parametrize(
    ("first", "limit", "expected"),
    [
        (1, None, [[0], [1, 2, 3], [4, 5, 6], [7]]),
        (5, None, [[0, 1, 2, 3, 4], [5, 6, 7]]),
        (9, None, [[0, 1, 2, 3, 4, 5, 6, 7]]),
        (2, 3, [[0, 1], [2]]),
        (2, 1, [[0]]),
    ],
)
def test_the_first_part_may_have_a_size_of_its_own(first: int, limit: int | None, expected: list[list[int]]) -> None:
    """So that what is sent first need not wait for more."""
    frames = [numbered(0, 2), numbered(2, 7), numbered(7, 7), numbered(7, 8)]
    assert [part["number"].to_list() for part in parts(frames, 3, limit, first)] == expected
