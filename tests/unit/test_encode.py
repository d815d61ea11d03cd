"""The encoder writes the JSON that a careful hand would write, and `pack` cuts requests that fit.

Longer than usual because all of it is compared with one reference, row by row.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uploader.columns import join
from uploader.encode import Items, Limits, Listed, Objects, encode, leaf_paths, pack

MONEY = pl.Decimal(18, 4)
LINE = pl.Struct({"id": pl.String, "quantity": pl.Int64, "price": MONEY})
SCHEMA = {
    "text": pl.String,
    "count": pl.Int64,
    "amount": MONEY,
    "flag": pl.Boolean,
    "words": pl.List(pl.String),
    "amounts": pl.List(MONEY),
    "lines": pl.List(LINE),
    "only": pl.String,
}
BODY = {
    "count": pl.col("count"),
    "text": pl.col("text"),
    'od"d {key}': {"amount": pl.col("amount"), "deeper": {"flag": pl.col("flag")}},
    "words": pl.col("words"),
    "amounts": pl.col("amounts"),
    "lines": Items("lines", {"ID": "id", "n": "quantity", "price": "price"}),
    "only": Listed(pl.col("only")),
}

TEXTS = st.text(max_size=12) | st.text(alphabet='\x00\x01\x1f\x7f"\\/\n\t\b\f\r\u2028é😀𝒳', max_size=8)
MONEYS = st.decimals(Decimal("-99999999999999.9999"), Decimal("99999999999999.9999"), places=4)
WHOLE = st.integers(-(2**63), 2**63 - 1)
LINES = st.fixed_dictionaries(
    {"id": st.none() | TEXTS, "quantity": st.none() | WHOLE, "price": st.none() | MONEYS},
)
ROWS = st.fixed_dictionaries(
    {
        "text": st.none() | TEXTS,
        "count": st.none() | WHOLE,
        "amount": st.none() | MONEYS,
        "flag": st.none() | st.booleans(),
        "words": st.none() | st.lists(st.none() | TEXTS, max_size=3),
        "amounts": st.none() | st.lists(st.none() | MONEYS, max_size=3),
        "lines": st.none() | st.lists(st.none() | LINES, max_size=3),
        "only": st.none() | TEXTS,
    },
)


def _reference(row: dict[str, Any]) -> str:
    """Write one row's JSON the slow way."""
    lines = [
        _text({"ID": line["id"], "n": line["quantity"], "price": line["price"]}) for line in row["lines"] or [] if line
    ]
    return (
        _text(
            {
                "count": row["count"],
                "text": row["text"],
                'od"d {key}': {"amount": row["amount"], "deeper": {"flag": row["flag"]}},
                "words": [_text(word) for word in row["words"] or []],
                "amounts": [_text(amount) for amount in row["amounts"] or []],
                "lines": lines,
                "only": [_text(row["only"])],
            },
        )
        or "{}"
    )


def _text(value: Any) -> str | None:
    if isinstance(value, dict):
        members = [f"{json.dumps(key)}:{text}" for key, inner in value.items() if (text := _text(inner)) is not None]
        return "{" + ",".join(members) + "}" if members else None
    if isinstance(value, list):
        present = [text for text in value if text is not None]
        return f"[{','.join(present)}]" if present else None
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f")
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _encoded(*rows: dict[str, Any]) -> list[str]:
    frame = pl.DataFrame([dict.fromkeys(SCHEMA) | row for row in rows], schema=SCHEMA, orient="row")
    return encode(frame, BODY).payloads()


@settings(max_examples=300, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=5))
def test_the_text_is_exactly_the_reference(rows: list[dict[str, Any]]) -> None:
    """Column by column gives, byte for byte, what row by row gives."""
    assert [_reference(row) for row in rows] == _encoded(*rows)


@pytest.mark.parametrize("is_kept", [True, False])
@settings(max_examples=100, deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=5))
def test_objects_without_members_leave_their_array(rows: list[dict[str, Any]], is_kept: bool) -> None:
    """Commas stand between those that are left, in their order; an array without any goes, unless it must stay."""
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    parts = ({"a": pl.col("text")}, {"b": pl.col("count"), "c": pl.col("flag")}, {"d": {"e": pl.col("amount")}})
    body = {"ids": Objects(parts, is_kept=is_kept), "x": pl.col("only")}
    for row, payload in zip(rows, encode(frame, body).payloads(), strict=True):
        objects = [{"a": row["text"]}, {"b": row["count"], "c": row["flag"]}, {"d": {"e": row["amount"]}}]
        ids = _text([_text(part) for part in objects]) or ("[]" if is_kept else None)
        members = [f'"{key}":{text}' for key, text in (("ids", ids), ("x", _text(row["only"]))) if text]
        assert payload == "{" + ",".join(members) + "}"
    assert leaf_paths(body) == ("ids.0.a", "ids.1.b", "ids.1.c", "ids.2.d.e", "x")


def test_items_write_numbers_as_text_where_asked() -> None:
    """A price as a string keeps its shortest decimal; the others stay numbers."""
    lines = [{"id": "a", "quantity": 2, "price": Decimal("100.5000")}, {"id": "b", "quantity": 10, "price": None}]
    frame = pl.DataFrame([dict.fromkeys(SCHEMA) | {"lines": lines}], schema=SCHEMA, orient="row")
    body = {"lines": Items("lines", {"n": "quantity", "p": "price"}, frozenset({"p"}))}
    assert encode(frame, body).payloads() == ['{"lines":[{"n":2,"p":"100.5"},{"n":10}]}']


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=3))
def test_two_strict_parsers_read_it_alike(rows: list[dict[str, Any]]) -> None:
    """The standard library and orjson read the same values, and texts come back unchanged."""
    for row, payload in zip(rows, _encoded(*rows), strict=True):
        assert json.loads(payload) == orjson.loads(payload)
        assert json.loads(payload).get("text") == row["text"]
        assert json.loads(payload).get("words", []) == [word for word in row["words"] or [] if word is not None]


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=3))
def test_the_bitmap_names_the_leaves_that_left(rows: list[dict[str, Any]]) -> None:
    """A leaf's bit is set exactly when its path is in the JSON."""
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    encoded = encode(frame, BODY)
    for payload, fields in zip(encoded.payloads(), encoded.fields, strict=True):
        named = {path for bit, path in enumerate(leaf_paths(BODY)) if fields >> bit & 1}
        assert set(_paths(json.loads(payload))) == named


@settings(max_examples=100, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=4), st.integers(0, 4), st.integers(0, 4))
def test_neighbours_are_a_body_as_they_lie(rows: list[dict[str, Any]], start: int, length: int) -> None:
    """Any run of rows is its texts with commas between; sizes and hashes are those of the texts."""
    encoded = encode(pl.DataFrame(rows, schema=SCHEMA, orient="row"), BODY)
    payloads, start = encoded.payloads(), min(start, len(rows))
    stop = min(start + length, len(rows))
    assert ",".join(payloads[start:stop]).encode() == bytes(encoded.joined(start, stop))
    assert [len(payload.encode()) for payload in payloads] == encoded.sizes.tolist()
    assert [hashlib.sha256(payload.encode()).digest()[:16] for payload in payloads] == encoded.hashes()


@settings(max_examples=100, deadline=None)
@given(st.lists(ROWS, min_size=3, max_size=6))
def test_a_part_of_a_frame_is_encoded_as_by_itself(rows: list[dict[str, Any]]) -> None:
    """A slice shares its memory with the rows around it, and has none of their values."""
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    assert encode(frame.slice(1, 2), BODY).payloads() == encode(frame, BODY).payloads()[1:3]


def _paths(value: dict[str, Any], prefix: str = "") -> list[str]:
    nested = [
        _paths(inner, f"{prefix}{key}.") if isinstance(inner, dict) else [prefix + key] for key, inner in value.items()
    ]
    return [path for paths in nested for path in paths]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("10.0000", "10"),
        ("0.5000", "0.5"),
        ("-0.5", "-0.5"),
        ("0", "0"),
        ("1234567.89", "1234567.89"),
        ("-7", "-7"),
        ("100", "100"),
        ("0.0001", "0.0001"),
        ("99999999999999.9999", "99999999999999.9999"),
    ],
)
def test_decimals_are_as_short_as_they_can_be(amount: str, text: str) -> None:
    """No trailing zeros, no exponent, no lost digit."""
    assert [f'{{"od\\"d {{key}}":{{"amount":{text}}}}}'] == _encoded({"amount": Decimal(amount)})


def test_whole_decimals_keep_their_zeros() -> None:
    """A decimal without a fraction is not mistaken for one with zeros to drop."""
    frame = pl.DataFrame({"n": [Decimal(1200)]}, schema={"n": pl.Decimal(10, 0)})
    assert encode(frame, {"n": pl.col("n")}).payloads() == ['{"n":1200}']


@pytest.mark.parametrize("char", [chr(code) for code in range(0x20)] + ['"', "\\", "\x7f", "\u2028", "😀"])
def test_every_special_character_comes_back(char: str) -> None:
    """Control characters, quotes and backslashes are escaped; the rest stands as it is."""
    (payload,) = _encoded({"text": f"a{char}b", "words": [char], "lines": [{"id": char}], "only": char})
    back = json.loads(payload)
    assert [f"a{char}b", [char], [{"ID": char}], [char]] == [back[key] for key in ("text", "words", "lines", "only")]


def test_one_odd_value_beyond_the_first_block_is_found() -> None:
    """The look at a column's bytes goes through all of it."""
    texts = ["x" * 1000] * 600 + ['"']
    frame = pl.DataFrame({"text": texts})
    assert texts == [json.loads(text)["t"] for text in encode(frame, {"t": pl.col("text")}).payloads()]


def test_an_empty_frame_gives_no_texts() -> None:
    """No rows are no trouble."""
    encoded = encode(pl.DataFrame(schema=SCHEMA), BODY)
    assert (encoded.payloads(), encoded.hashes(), bytes(encoded.joined(0, 0))) == ([], [], b"")
    assert (encoded.fields.dtype, len(encoded.fields), len(encoded.sizes)) == (pl.Int64, 0, 0)


@pytest.mark.parametrize("body", [{}, {"a": {}}, {"a": {"b": pl.lit(None, dtype=pl.String)}}])
def test_nothing_to_say_is_an_empty_object(body: dict[str, Any]) -> None:
    """A body without values is ``{}`` in every row."""
    encoded = encode(pl.DataFrame({"x": [1, 2]}), body)
    assert (encoded.payloads(), encoded.fields.to_list()) == (["{}"] * 2, [0, 0])


def test_constants_stand_in_every_row() -> None:
    """A literal is repeated for each row, be it alone or not."""
    assert encode(pl.DataFrame({"x": [1, 2, 3]}), {"a": pl.lit("b")}).payloads() == ['{"a":"b"}'] * 3


def test_a_key_may_be_called_like_a_column() -> None:
    """Keys and columns of the same name do not get mixed up."""
    frame = pl.DataFrame({"a": ["1"], "b": ["2"]})
    assert encode(frame, {"b": pl.col("a"), "a": pl.col("b")}).payloads() == ['{"b":"1","a":"2"}']


@pytest.mark.parametrize(
    ("column", "leaf", "message"),
    [
        (pl.Series([1.5]), pl.col("x"), "x: a float has no exact decimal text"),
        (pl.Series([[1.5]]), pl.col("x"), "x: a float has no exact decimal text"),
        (pl.Series([[{"p": 1.5}]]), Items("x", {"price": "p"}), "x.price: a float"),
        (pl.Series(["2026-11-20"]).str.to_date(), pl.col("x"), "x: Date has no JSON form"),
        (pl.Series([["a"]]), Listed(pl.col("x")), "without Listed"),
        (pl.Series(["a"]), Items("x", {"id": "id"}), "Items needs a list of structs"),
    ],
)
def test_what_has_no_exact_form_is_refused(column: pl.Series, leaf: Any, message: str) -> None:
    """Floats, dates and misused leaves are errors that name the path."""
    with pytest.raises(TypeError, match=message):
        encode(pl.DataFrame({"x": column}), {"x": leaf})


def test_a_body_with_too_many_leaves_is_refused() -> None:
    """The bitmap holds 63 leaves; one more is an error, not a wrong bit."""
    body = {f"k{number}": pl.lit("v") for number in range(64)}
    with pytest.raises(ValueError, match="at most 63 leaves, this one has 64"):
        encode(pl.DataFrame({"x": [1]}), body)
    del body["k63"]
    assert encode(pl.DataFrame({"x": [1]}), body).fields.to_list() == [2**63 - 1]


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=40), st.integers(1, 7), st.integers(1, 90), st.integers(0, 20))
def test_packed_requests_fit(payloads: list[str], events: int, room: int, envelope: int) -> None:
    """Ranges cover every event once, in order; each fits, or is one event that fits nowhere."""
    limits = Limits(events=events, bytes=room)
    ranges = pack(_sizes(payloads), limits, envelope)
    assert list(range(len(payloads))) == [place for start, stop in ranges for place in range(start, stop)]
    for start, stop in ranges:
        assert stop - start == 1 or _fits(payloads[start:stop], limits, envelope)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=40), st.integers(1, 7), st.integers(1, 90))
def test_no_request_is_cut_too_early(payloads: list[str], events: int, room: int) -> None:
    """The first event of a request would not have fitted into the one before."""
    limits = Limits(events=events, bytes=room)
    for (start, stop), _ in pairwise(pack(_sizes(payloads), limits, 10)):
        assert not _fits(payloads[start : stop + 1], limits, 10)


def _sizes(payloads: list[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([len(payload.encode()) for payload in payloads], dtype=np.int64)


def _fits(payloads: list[str], limits: Limits, envelope: int) -> bool:
    return len(payloads) <= limits.events and envelope + len(",".join(payloads).encode()) <= limits.bytes


@pytest.mark.parametrize("skipped", [0, 1, 3])
def test_columns_of_one_length_are_laid_side_by_side(skipped: int) -> None:
    """Lengths are of bytes, columns may begin in the middle of their memory, and one of other lengths stays."""
    short, names = ["é", "ab", "xy", "ñ", "cd"], ["a", "bbb", "cc", "", "e"]
    columns = [pa.array(texts, pa.large_string())[skipped:] for texts in (short, ["10", "11", "12", "13", "14"], names)]
    found = join(["<", columns[0], "é|", columns[1], columns[0], ">", columns[2]], len(columns[0])).to_pylist()
    assert found == [
        f"<{text}é|{number}{text}>{name}"
        for text, number, name in list(zip(short, range(10, 15), names, strict=True))[skipped:]
    ]
