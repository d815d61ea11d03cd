"""Turns a frame into one column of compact JSON, and a batch list into requests that fit; knows no platform.

A body is declared once, as a nested mapping of keys to expressions, and evaluated in columns: each leaf
becomes a column of JSON text, and one concatenation per object joins them. NULLs, empty arrays and empty
objects are left out; keys stand in the order in which they were declared.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import polars as pl


@dataclass(frozen=True, slots=True)
class Items:
    """A JSON array with one object per element of a list-of-structs column.

    ``column`` names the column; ``fields`` maps JSON keys to names of the struct's fields.
    """

    column: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A JSON array with one value, for keys that take a list; left out where the value is NULL."""

    value: pl.Expr


Leaf: TypeAlias = pl.Expr | Items | Listed
"""What stands at the end of a path: a scalar or list expression, an array of objects, or a list of one."""

Body: TypeAlias = "Mapping[str, Leaf | Body]"
"""One event as JSON: keys to leaves or to nested objects."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most events and the most body bytes that one request may carry."""

    events: int
    bytes: int


MAX_LEAVES: Final = 63
"""``fields`` is a signed 64-bit integer."""

# RFC 8259, section 7: quotation mark, reverse solidus and U+0000 to U+001F must be escaped; anything else,
# U+2028 included, may stand as it is. (JavaScript before 2019 read U+2028 as a line end inside a string:
# that concerns JSON pasted into a script, not a request body.)
_ESCAPES: Final = {char: json.dumps(char)[1:-1] for char in ('"', "\\", *map(chr, range(0x20)))}
_BLOCK: Final = 1 << 18


def leaf_paths(body: Body) -> tuple[str, ...]:
    """Name the leaves in the order of the bits of ``fields``, as in ``user_data.em``."""
    return tuple(path for path, _ in _leaves(body))


def leaf_columns(body: Body) -> dict[str, tuple[str, ...]]:
    """Name the columns that each leaf is made of, by its path, in the order of `leaf_paths`."""
    return {path: tuple(_expression(leaf).meta.root_names()) for path, leaf in _leaves(body)}


def encode(frame: pl.DataFrame, body: Body) -> pl.DataFrame:
    """Return ``payload`` (compact JSON) and ``fields`` (bit i: the i-th of `leaf_paths` left), row by row.

    Leaves may be strings, integers, booleans, decimals, or lists of these. A float raises `TypeError`: it
    has no exact shortest decimal, and money must not change on its way.
    """
    leaves = dict(_leaves(body))
    if len(leaves) > MAX_LEAVES:
        raise ValueError(f"a body has at most {MAX_LEAVES} leaves, this one has {len(leaves)}")
    if not leaves:
        return frame.select(payload=pl.repeat("{}", pl.len()), fields=pl.repeat(0, pl.len(), dtype=pl.Int64))
    columns = [_expression(leaf).alias(path) for path, leaf in leaves.items()]
    values = frame.with_columns(columns).select(*leaves)
    texts = pl.DataFrame([_text(values[path], leaf) for path, leaf in leaves.items()])
    brackets = {path: _brackets(values[path].dtype, leaf) for path, leaf in leaves.items()}
    bits = [pl.col(path).is_not_null().cast(pl.Int64) * (1 << bit) for bit, path in enumerate(leaves)]
    payload = _whole(_tree(body, "", texts, brackets))
    return texts.with_columns(payload=payload, fields=pl.sum_horizontal(bits)).select("payload", "fields")


def pack(payloads: pl.Series, limits: Limits, envelope_bytes: int) -> list[tuple[int, int]]:
    """Cut a column of payloads into ``(start, stop)`` ranges, each within the limits by count and bytes.

    A payload that is over the byte limit on its own gets a range of its own: whether to try it is the
    caller's decision.
    """
    # Each event but the last brings a comma, so the sum over "length + 1" is one more than the bytes sent.
    ends = (payloads.str.len_bytes().cast(pl.Int64) + 1).cum_sum().to_list()
    room = limits.bytes - envelope_bytes + 1
    ranges: list[tuple[int, int]] = []
    start = 0
    while start < len(ends):
        before = ends[start - 1] if start else 0
        last = min(start + max(limits.events, 1), len(ends))
        stop = max(bisect_right(ends, before + room, start, last), start + 1)
        ranges.append((start, stop))
        start = stop
    return ranges


def _leaves(body: Body, prefix: str = "") -> Iterator[tuple[str, Leaf]]:
    for key, value in body.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _expression(leaf: Leaf) -> pl.Expr:
    if isinstance(leaf, Items):
        return pl.col(leaf.column)
    return leaf.value if isinstance(leaf, Listed) else leaf


def _brackets(dtype: pl.DataType, leaf: Leaf) -> tuple[str, str]:
    """Say what stands before and after a leaf's text."""
    if isinstance(dtype, pl.List):
        return "[", "]"
    quote = '"' if isinstance(dtype, pl.String) else ""
    return ("[" + quote, quote + "]") if isinstance(leaf, Listed) else (quote, quote)


def _text(values: pl.Series, leaf: Leaf) -> pl.Series:
    """Turn a leaf's column into JSON text without its outer quotes or brackets; NULL where it is left out."""
    name, dtype = values.name, values.dtype
    if isinstance(leaf, Items):
        return _joined(values, _item(values, leaf))
    if isinstance(dtype, pl.List):
        if isinstance(leaf, Listed):
            raise TypeError(f"{name}: a list stands in a body as it is, without Listed")
        elements = _elements(values)
        quote = pl.lit(_quote(elements.dtype))
        return _joined(values, pl.concat_str(quote, _scalar(pl.element(), elements), quote))
    return values.to_frame().select(_scalar(pl.col(name), values)).to_series()


def _item(values: pl.Series, items: Items) -> pl.Expr:
    """Turn a struct into the text of an object, inside a list; NULL where it has no members."""
    elements = _elements(values)
    if not isinstance(elements.dtype, pl.Struct):
        raise TypeError(f"{values.name}: Items needs a list of structs, {items.column} is {values.dtype}")
    members = {}
    for key, name in items.fields.items():
        field, source = elements.struct.field(name), pl.element().struct.field(name)
        text = _scalar(source, field.alias(f"{values.name}.{key}"))
        members[key] = _leaf((_quote(field.dtype),) * 2, text, field, source)
    item = _object(members)
    return _whole(item) if item.present is None else pl.when(item.present).then(_whole(item))


def _tree(body: Body, prefix: str, texts: pl.DataFrame, brackets: Mapping[str, tuple[str, str]]) -> _Value:
    """Describe a body by the texts of its leaves; what no row has is left out."""
    members = {}
    for key, value in body.items():
        path = prefix + key
        if isinstance(value, Mapping):
            inner = _tree(value, f"{path}.", texts, brackets)
            if inner.inner:
                members[key] = inner
        elif texts[path].null_count() < texts.height:
            members[key] = _leaf(brackets[path], pl.col(path), texts[path], pl.col(path))
    return _object(members)


def _elements(values: pl.Series) -> pl.Series:
    return values.explode(empty_as_null=False, keep_nulls=False)


def _joined(values: pl.Series, element: pl.Expr) -> pl.Series:
    """Join the texts of each list with commas, without NULLs; NULL where nothing remains."""
    joined = values.list.eval(element).list.join(",")
    return joined.set(joined == "", None)


def _quote(dtype: pl.DataType) -> str:
    return '"' if isinstance(dtype, pl.String) else ""


def _scalar(value: pl.Expr, sample: pl.Series) -> pl.Expr:
    """Return the expression of a scalar's text, after the type and content of ``sample``, its values."""
    dtype = sample.dtype
    if isinstance(dtype, pl.String):
        return value if _is_plain(sample) else value.str.replace_many(_ESCAPES)
    if isinstance(dtype, pl.Decimal):
        text = value.cast(pl.String)
        return text.str.strip_chars_end("0").str.strip_chars_end(".") if dtype.scale else text
    if dtype.is_integer() or isinstance(dtype, (pl.Boolean, pl.Null)):
        return value.cast(pl.String)
    if dtype.is_float():
        raise TypeError(f"{sample.name}: a float has no exact decimal text; cast it to Decimal first")
    raise TypeError(f"{sample.name}: {dtype} has no JSON form; cast it to String, Int64, Boolean or Decimal")


def _is_plain(texts: pl.Series) -> bool:
    """Say whether no value of a column needs escaping, by one look at the column's bytes.

    Ten times faster than escaping, which hashes, ids and addresses never need.
    """
    data = texts.to_arrow().buffers()[2]
    codes = np.frombuffer(data, dtype=np.uint8) if data else np.empty(0, dtype=np.uint8)
    for start in range(0, len(codes), _BLOCK):
        block = codes[start : start + _BLOCK]
        if block.min() < 0x20 or (block == ord('"')).any() or (block == ord("\\")).any():
            return False
    return True


@dataclass(frozen=True, slots=True)
class _Value:
    """A JSON value in the making: its text in parts, what stands around it, and the rows that have it."""

    before: str
    inner: list[str | pl.Expr]
    """Expressions are NULL in rows without the value; plain text stands here only if every row has it."""
    after: str
    present: pl.Expr | None
    """None: every row has the value, so that nothing has to be asked."""


def _leaf(around: tuple[str, str], text: pl.Expr, column: pl.Series, source: pl.Expr) -> _Value:
    """Describe a leaf: ``column`` and ``source`` are NULL where it is absent."""
    return _Value(around[0], [text], around[1], source.is_not_null() if column.null_count() else None)


def _object(members: Mapping[str, _Value]) -> _Value:
    """Join members with commas; which of them comes first can differ from row to row."""
    inner: list[str | pl.Expr] = []
    earlier: list[pl.Expr] = []
    has_first = False
    for key, value in members.items():
        label = f"{json.dumps(key, ensure_ascii=False)}:{value.before}"
        start: str | pl.Expr = f",{label}" if has_first else label
        if earlier and not has_first:
            start = pl.when(pl.any_horizontal(earlier)).then(pl.lit(f",{label}")).otherwise(pl.lit(label))
        inner += [_where(value.present, start), *value.inner, _where(value.present, value.after)]
        if value.present is None:
            has_first = True
        else:
            earlier.append(value.present)
    present = pl.any_horizontal(earlier) if earlier else pl.lit(False)
    return _Value("{", inner, "}", None if has_first else present)


def _where(present: pl.Expr | None, text: str | pl.Expr) -> str | pl.Expr:
    if present is None or (isinstance(text, str) and not text):
        return text
    return pl.when(present).then(pl.lit(text) if isinstance(text, str) else text)


def _whole(value: _Value) -> pl.Expr:
    """Write a value in one concatenation; neighbouring constants become one."""
    parts: list[pl.Expr] = []
    constant = ""
    for part in [value.before, *value.inner, value.after]:
        if isinstance(part, str):
            constant += part
        else:
            parts += [pl.lit(constant), part] if constant else [part]
            constant = ""
    return pl.concat_str([*parts, pl.lit(constant)], ignore_nulls=True)
