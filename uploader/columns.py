"""Columns as JSON text: values, and the objects that they stand in. `uploader.encode` puts rows together from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from uploader.body import Items, Listed, Objects, decimal_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from uploader.body import Body, Leaf

    Mask: TypeAlias = NDArray[np.bool_]


# RFC 8259, section 7: quotation mark, reverse solidus and U+0000 to U+001F must be escaped; anything else,
# U+2028 included, may stand as it is. (JavaScript before 2019 read U+2028 as a line end inside a string:
# that concerns JSON pasted into a script, not a request body.)
_ESCAPES: Final = {char: json.dumps(char)[1:-1] for char in ('"', "\\", *map(chr, range(0x20)))}
_TEXT: Final = pa.large_string()


# ---------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value in the making: its text in parts, what stands around it, and the rows that have it."""

    before: str
    inner: list[Any]
    """Arrays of text are NULL in rows without the value; plain text stands here only if every row has it."""
    after: str
    present: Mask | None
    """None: every row has the value, so that nothing has to be asked."""


def leaf_value(values: pl.Series, leaf: Leaf) -> Value | None:
    """Turn a leaf's column into a value; None where no row has it."""
    if len(values) and values.null_count() == len(values):
        return None
    if isinstance(values.dtype, pl.List):
        if isinstance(leaf, Listed):
            raise TypeError(f"{values.name}: a list stands in a body as it is, without Listed")
        quote = _quote(values.dtype.inner)
        text = _items(values, leaf) if isinstance(leaf, Items) else _elements(values, quote)
        before, after = ("[", "]") if isinstance(leaf, Items) else ("[" + quote, quote + "]")
    else:
        if isinstance(leaf, Items):
            raise TypeError(f"{values.name}: Items needs a list of structs, {leaf.column} is {values.dtype}")
        text, quote = _scalar(values), _quote(values.dtype)
        before, after = ("[" + quote, quote + "]") if isinstance(leaf, Listed) else (quote, quote)
    if text.null_count == len(text):
        return None
    return Value(before, [text], after, _present(text))


def _present(text: pa.Array) -> Mask | None:
    """Return which texts are not NULL; None where all are."""
    if not text.null_count:
        return None
    bits = np.frombuffer(text.buffers()[0], dtype=np.uint8)
    first, last = text.offset, text.offset + len(text)
    return np.unpackbits(bits, count=last, bitorder="little")[first:].view(np.bool_)


def _arrow(values: Any) -> pa.Array:
    """Return values of Python's or NumPy's in Arrow's form. Arrow's own ways from and to them would import pandas."""
    return pl.Series(values).to_arrow()


def _quote(dtype: Any) -> str:
    return '"' if dtype == pl.String else ""


def _scalar(values: pl.Series) -> pa.Array:
    """Write scalars as text, without quotes."""
    dtype = values.dtype
    if isinstance(dtype, pl.String):
        return _escaped(values.to_arrow())
    if isinstance(dtype, pl.Decimal):
        found = values.cast(pl.String)
        if dtype.scale:
            found = found.str.strip_chars_end("0").str.strip_chars_end(".")
        return found.to_arrow()
    if dtype.is_integer() or isinstance(dtype, (pl.Boolean, pl.Null)):
        return values.cast(pl.String).to_arrow()
    if dtype.is_float():
        raise TypeError(f"{values.name}: a float has no exact decimal text; cast it to Decimal first")
    raise TypeError(f"{values.name}: {dtype} has no JSON form; cast it to String, Int64, Boolean or Decimal")


def _escaped(text: pa.Array) -> pa.Array:
    return text if _is_plain(text) else pl.Series(text).str.replace_many(_ESCAPES).to_arrow()


def _is_plain(text: pa.Array) -> bool:
    """Say whether no value of a column needs escaping, by one look at the column's bytes.

    Ten times faster than escaping, which hashes, ids and addresses never need.
    """
    first, last = map(int, _ends(text)[[0, -1]])
    if first == last:
        return True
    raw = text.buffers()[2].slice(first, last - first).to_pybytes()
    return b'"' not in raw and b"\\" not in raw and bool(np.frombuffer(raw, dtype=np.uint8).min() >= 0x20)


def _elements(values: pl.Series, quote: str) -> pa.Array:
    """Join each list's elements by commas, without the outermost quotes; NULL where there are none."""
    lists = values.to_arrow()
    texts = lists.flatten()
    if quote and not lists.null_count and not texts.null_count:
        # As most are: nothing to leave out.
        return _joined(_escaped(texts), np.diff(_ends(lists)), f"{quote},{quote}")
    kept = values.list.drop_nulls()
    texts = _scalar(kept.explode(empty_as_null=False, keep_nulls=False).rename(values.name))
    return _by_list(kept, texts, f"{quote},{quote}")


def _items(values: pl.Series, items: Items) -> pa.Array:
    """Write each list of structs as objects, joined by commas; NULL where none has members."""
    elements = values.explode(empty_as_null=False, keep_nulls=False)
    if not isinstance(elements.dtype, pl.Struct):
        raise TypeError(f"{values.name}: Items needs a list of structs, {items.column} is {values.dtype}")
    members = {}
    for key, name in items.fields.items():
        field = elements.struct.field(name).alias(f"{values.name}.{key}")
        if key in items.as_text:
            field = field.to_frame().select(decimal_text(pl.col(field.name))).to_series()
        members[key] = leaf_value(field, pl.col(name))
    item = _object({key: value for key, value in members.items() if value is not None}, len(elements))
    texts = _whole(item, len(elements)) if item else pa.nulls(len(elements), _TEXT)
    if texts.null_count:
        # An object without members is left out of its list, as a NULL is.
        lengths = values.list.len().fill_null(0).to_numpy()
        rows = np.repeat(np.arange(len(values)), lengths)[_present(texts)]
        lengths = np.bincount(rows, minlength=len(values))
        return _joined(pc.drop_null(texts), lengths, ",")
    return _by_list(values, texts, ",")


def _by_list(lists: pl.Series, texts: pa.Array, separator: str) -> pa.Array:
    return _joined(texts, lists.list.len().fill_null(0).to_numpy(), separator)


def _joined(texts: pa.Array, lengths: NDArray[Any], separator: str) -> pa.Array:
    """Join so many texts for each row; NULL for none."""
    ends = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    if (lengths == 1).all():
        return texts
    offsets, is_empty = pa.Array.from_buffers(pa.int64(), len(ends), [None, pa.py_buffer(ends)]), lengths == 0
    mask = _arrow(is_empty) if is_empty.any() else None
    lists = pa.LargeListArray.from_arrays(offsets, texts.cast(_TEXT), mask=mask)
    return pc.binary_join(lists, _text(separator))


# ---------------------------------------------------------------- objects


def tree(body: Body, prefix: str, found: Mapping[str, Value | None], height: int) -> Value | None:
    """Put a body together from its leaves; what no row has is left out."""
    members = {}
    for key, part in body.items():
        path = prefix + key
        if isinstance(part, Objects):
            value = _array(part, f"{path}.", found, height)
        else:
            value = tree(part, f"{path}.", found, height) if isinstance(part, Mapping) else found[path]
        if value is not None:
            members[key] = value
    return _object(members, height)


def _object(members: Mapping[str, Value], height: int) -> Value | None:
    """Join members with commas; which of them comes first can differ from row to row."""
    labelled = [(f"{json.dumps(key, ensure_ascii=False)}:", value) for key, value in members.items()]
    inner, present = _membered(labelled, height)
    return Value("{", inner, "}", present) if inner else None


def _array(objects: Objects, prefix: str, found: Mapping[str, Value | None], height: int) -> Value | None:
    made = [tree(part, f"{prefix}{position}.", found, height) for position, part in enumerate(objects.objects)]
    inner, present = _membered([("", value) for value in made if value is not None], height)
    if objects.is_kept:
        return Value("[", inner, "]", None)
    return Value("[", inner, "]", present) if inner else None


def _membered(members: list[tuple[str, Value]], height: int) -> tuple[list[Any], Mask | None]:
    """Return the parts of members with their labels and the commas between them, and which rows have any."""
    inner: list[Any] = []
    earlier: Mask | None = np.zeros(height, dtype=np.bool_)
    for name, value in members:
        label = name + value.before
        start: Any = f",{label}"
        if earlier is not None:
            start = pc.if_else(_arrow(earlier), _text(f",{label}"), _text(label)) if earlier.any() else label
        parts = [start, *value.inner, value.after]
        if value.present is None:
            earlier = None
            inner += parts
        else:
            if earlier is not None:
                earlier = earlier | value.present
            inner.append(_where(value.present, join(parts, height)))
    return inner, earlier


def _whole(value: Value, height: int) -> pa.Array:
    """Write a value as text; NULL in rows without it."""
    text = join([value.before, *value.inner, value.after], height)
    return text if value.present is None else _where(value.present, text)


def _where(present: Mask, text: pa.Array) -> pa.Array:
    return pc.if_else(_arrow(present), text, pa.nulls(1, _TEXT)[0])


def _text(constant: str) -> pa.Scalar:
    return _arrow([constant])[0]


def join(parts: list[Any], height: int) -> pa.LargeStringArray:
    """Write parts one after the other; neighbouring constants become one, and a NULL is nothing."""
    merged: list[Any] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    if all(isinstance(part, str) for part in merged):
        return pa.repeat(_text("".join(merged)), height)
    texts = [
        _text(part) if isinstance(part, str) else part.cast(_TEXT)
        for part in _side_by_side(merged, height)
        if len(part) or height
    ]
    return pc.binary_join_element_wise(*texts, _text(""), null_handling="skip")


def _side_by_side(parts: list[Any], height: int) -> list[Any]:
    """Make one column of each run of columns, with the constants between them, whose texts have one length each.

    Hashes and times are such columns: they are laid into a table of bytes, a few times faster than Arrow joins texts.
    """
    found: list[Any] = []
    for is_fixed, run in groupby(parts, lambda part: isinstance(part, str) or _width(part, height) is not None):
        together = list(run)
        columns = [part for part in together if not isinstance(part, str)]
        if is_fixed and len(columns) > 1:
            found.append(_laid_out([_bytes(part, height) for part in together], height))
        else:
            found += together
    return found


def _width(text: pa.Array, height: int) -> int | None:
    """Return the length in bytes that all texts have; None where it differs, or one is NULL."""
    if not height or text.null_count or text.type != _TEXT:
        return None
    ends = _ends(text)
    width = int(ends[1] - ends[0])
    return width if width and bool((np.diff(ends) == width).all()) else None


def _ends(text: pa.Array) -> NDArray[np.int64]:
    """Return where each text of a column begins in its bytes (or list in its items), and where the last one ends."""
    return np.frombuffer(text.buffers()[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]


def _bytes(part: Any, height: int) -> NDArray[np.uint8]:
    """Return a constant's bytes, or a column's as one row of bytes for each text of it."""
    if isinstance(part, str):
        return np.frombuffer(part.encode(), dtype=np.uint8)
    first, last = _ends(part)[[0, -1]]
    return np.frombuffer(part.buffers()[2], dtype=np.uint8)[first:last].reshape(height, -1)


def _laid_out(columns: list[NDArray[np.uint8]], height: int) -> pa.Array:
    ends = np.cumsum([0, *(column.shape[-1] for column in columns)])
    # Arrow's pool keeps memory that it had before; new memory costs as much again as what is written into it.
    memory = pa.allocate_buffer(height * int(ends[-1]))
    table = np.frombuffer(memory, dtype=np.uint8).reshape(height, -1)
    for column, (start, stop) in zip(columns, pairwise(ends), strict=True):
        if start < stop:  # a text goes as one item, and not byte by byte; a constant goes into each row
            table[:, start:stop].view(f"V{stop - start}")[:] = column.view(f"V{stop - start}")
    offsets = np.arange(height + 1, dtype=np.int64) * ends[-1]
    return pa.LargeStringArray.from_buffers(height, pa.py_buffer(offsets), memory)
