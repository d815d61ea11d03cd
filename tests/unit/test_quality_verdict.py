"""The verdict that ``check`` leaves: for which rows, thresholds and files ``send`` accepts it."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from tests.support.at_once import accepts
from tests.support.quality_rows import NOW
from uploader.quality.artifacts import replace_file
from uploader.quality.report import Check, Report
from uploader.quality.verdict import FILE, KEY_DIGEST, ROWS_FILE, Judged, Passed, verdict_files
from uploader.settings import QualitySettings

LIMITS = QualitySettings()
LARGEST = 2**32 - 1


def rows_of(*numbers: int | None) -> pl.DataFrame:
    """Return rows with these digests; each has a key of its own."""
    keys = [f"purchase.{number}" for number in numbers]
    schema = {"event_key": pl.String, "row_digest": pl.UInt32}
    return pl.DataFrame({"event_key": keys, "row_digest": numbers}, schema)


def report(outcome: str = "passed", **thresholds) -> Report:
    """Return a report of one check."""
    check = Check("A rule", "a", "row", outcome, 0.0, 0.0, 1, 0, (), "Mend it.")
    return Report((check,), 1, 1, NOW, QualitySettings(**thresholds))


def files(judged: Report, rows: Mapping[str, pl.DataFrame], warehouse: str = "as it was") -> dict[str, bytes]:
    """Return a verdict's files."""
    digests = {name: frame.select(KEY_DIGEST, "row_digest") for name, frame in rows.items()}
    return verdict_files(judged, Judged(digests, warehouse))


def leave(folder: Path, judged: Report, rows: Mapping[str, pl.DataFrame]) -> Path:
    """Write a verdict's files."""
    for name, content in files(judged, rows).items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def verdict(tmp_path):
    """Leave a passing verdict for four rows of two destinations, and return its folder."""
    return leave(tmp_path, report(), {"meta:1": rows_of(7, 3, LARGEST), "acme:2": rows_of(7)})


@pytest.mark.parametrize(
    ("rows", "accepted"),
    [
        ({"meta:1": rows_of(3, 7, LARGEST), "acme:2": rows_of(7)}, True),
        ({"meta:1": rows_of(7, 7)}, True),
        ({"meta:1": rows_of()}, True),
        ({"other:9": rows_of()}, True),
        ({}, True),
        ({"meta:1": rows_of(3, 8)}, False),
        ({"acme:2": rows_of(3)}, False),
        ({"other:9": rows_of(7)}, False),
        ({"meta:1": rows_of(3), "acme:2": rows_of(3)}, False),
        ({"meta:1": rows_of(3, None)}, False),
        ({"meta:1": rows_of(3).cast({"row_digest": pl.Int64})}, False),
    ],
)
def test_a_verdict_holds_for_any_part_of_the_rows_it_judged(verdict, rows, accepted):
    """Each destination's rows must all be among those judged for that destination."""
    assert accepts(verdict, rows, LIMITS) is accepted


@pytest.mark.parametrize("name", QualitySettings.model_fields)
def test_a_verdict_under_another_threshold_is_not_accepted(verdict, name):
    """Whoever tightens a threshold wants it to be asked."""
    value = getattr(LIMITS, name)
    changed = QualitySettings(**{name: type(value)(value / 2 or 0.5)})
    assert not accepts(verdict, {"meta:1": rows_of(3)}, changed)


def test_the_same_thresholds_in_other_words_are_accepted(verdict):
    """10 minutes by default are 10.0 minutes from the environment."""
    same = QualitySettings(duplicate_window_minutes="10.0", max_zero_value_rate=1, value_band_factor=1000.0)
    assert accepts(verdict, {"meta:1": rows_of(3)}, same)


@pytest.mark.parametrize("outcome", ["failed", "errored"])
def test_a_verdict_that_did_not_pass_is_not_accepted(tmp_path, outcome):
    """Neither bad data nor a broken check lets a batch leave."""
    leave(tmp_path, report(outcome), {"meta:1": rows_of(3)})
    assert not accepts(tmp_path, {"meta:1": rows_of(3)}, LIMITS)


def test_a_missing_verdict_is_not_accepted(tmp_path):
    """Neither a missing file nor a missing folder is an error."""
    rows = {"meta:1": rows_of(3)}
    assert not accepts(tmp_path, rows, LIMITS)
    assert not accepts(tmp_path / "nowhere", rows, LIMITS)


@pytest.mark.parametrize("name", [FILE, ROWS_FILE])
def test_every_truncation_of_a_verdict_is_not_accepted(verdict, name):
    """A file cut short anywhere is no verdict."""
    whole = (verdict / name).read_bytes().rstrip(b"\n")
    for length in range(len(whole)):
        (verdict / name).write_bytes(whole[:length])
        assert not accepts(verdict, {"meta:1": rows_of(3)}, LIMITS)


def test_rows_of_another_verdict_are_not_accepted(verdict):
    """A run that ended between the two files leaves the rows of one and the answer of another."""
    (verdict / ROWS_FILE).write_bytes(files(report(), {"meta:1": rows_of(3, 8)})[ROWS_FILE])
    assert not accepts(verdict, {"meta:1": rows_of(3)}, LIMITS)
    (verdict / ROWS_FILE).unlink()
    assert not accepts(verdict, {"meta:1": rows_of(3)}, LIMITS)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"null", b"[]", b"7", b'"passed"', b"{}", b"[" * 100_000, b'{"passed": true}']
)
def test_other_content_is_not_accepted(verdict, content):
    """Whatever stands in the file, there is an answer and no traceback."""
    (verdict / FILE).write_bytes(content)
    assert not accepts(verdict, {"meta:1": rows_of(3)}, LIMITS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("passed", 1),
        ("judged_at", "2020-01-01T00:00:00+00:00"),
        ("version", "0.0.0"),
        ("format", 4),
        ("rows", None),
        ("rows", {"meta:1": 4}),
        ("rows", {"acme:2": 1, "meta:1": "3"}),
        ("rows_sha256", "0" * 64),
        ("seal", None),
    ],
)
def test_an_edited_verdict_is_not_accepted(verdict, key, value):
    """The seal covers every key."""
    content = json.loads((verdict / FILE).read_text())
    (verdict / FILE).write_text(json.dumps({**content, key: value}))
    assert not accepts(verdict, {"meta:1": rows_of(3)}, LIMITS)


def test_the_rows_are_little_endian_numbers_in_the_order_of_their_keys():
    """Another program can read the file."""
    made = files(report(), {"meta:1": rows_of(7, 3, LARGEST), "acme:2": rows_of(7)})
    content = json.loads(made[FILE])
    other, *keys = struct.unpack("<4Q", made[ROWS_FILE][:32])
    digest, *meta = struct.unpack("<4I", made[ROWS_FILE][32:])
    assert (content["rows"], digest, other in keys) == ({"acme:2": 1, "meta:1": 3}, 7, True)
    assert (keys == sorted(keys), sorted(meta)) == (True, [3, 7, LARGEST])
    assert (content["passed"], content["judged_at"]) == (True, "2026-11-20T12:00:00+00:00")


def test_a_row_is_known_by_its_key_and_its_content_together(verdict):
    """The content of another row that was judged is another content."""
    exchanged = rows_of(3, 7).with_columns(row_digest=pl.Series([7, 3], dtype=pl.UInt32))
    assert accepts(verdict, {"meta:1": rows_of(3, 7)}, LIMITS)
    assert not accepts(verdict, {"meta:1": exchanged}, LIMITS)


def test_a_verdict_tells_what_it_judged_of_each_key(verdict):
    """In the order asked for; nothing of keys, or destinations, that it did not judge."""
    passed = Passed.read(verdict, LIMITS)
    keys = rows_of(LARGEST, 8, 3)["event_key"]
    assert passed.digests("meta:1", keys).to_list() == [LARGEST, None, 3]
    assert passed.digests("other:9", keys).to_list() == [None, None, None]
    assert (len(passed.digests("meta:1", keys.clear())), passed.warehouse) == (0, "as it was")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    """A failed write leaves the old file and nothing beside it."""
    path = tmp_path / FILE
    replace_file(path, b"old")
    with pytest.raises(TypeError):
        replace_file(path, "text")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [(FILE, b"old")]
