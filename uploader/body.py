"""What one event is made of: JSON keys, and the columns or lists whose values stand there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl


@dataclass(frozen=True, slots=True)
class Items:
    """A JSON array with one object per element of a list-of-structs column.

    ``column`` names the column; ``fields`` maps JSON keys to names of the struct's fields. ``as_text`` are the keys
    whose numbers go as JSON strings. Rows that ``where`` does not hold for have none of it.
    """

    column: str
    fields: Mapping[str, str]
    as_text: frozenset[str] = frozenset()
    where: pl.Expr | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A JSON array with one value, for keys that take a list; left out where the value is NULL."""

    value: pl.Expr


@dataclass(frozen=True, slots=True)
class Objects:
    """A JSON array of objects that are declared one by one; an object without members is left out.

    The array is left out where it is empty, unless ``is_kept``: then it is ``[]``.
    """

    objects: tuple[Body, ...]
    is_kept: bool = False

    def body(self) -> Body:
        """Return the objects by their position, as a body names its members."""
        return {str(position): part for position, part in enumerate(self.objects)}


Leaf: TypeAlias = pl.Expr | Items | Listed
"""What stands at the end of a path: a scalar or list expression, an array of objects, or a list of one."""

Body: TypeAlias = "Mapping[str, Leaf | Objects | Body]"
"""One event as JSON: keys to leaves, to arrays of objects or to nested objects."""


def leaves(body: Body, prefix: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield the leaves with their paths, as in ``user_data.em`` or ``ids.0.value``, in the order of declaration."""
    for key, part in body.items():
        value = part.body() if isinstance(part, Objects) else part
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def expression(leaf: Leaf) -> pl.Expr:
    """Return the expression of a leaf's column."""
    if isinstance(leaf, Items):
        column = pl.col(leaf.column)
        return column if leaf.where is None else pl.when(leaf.where).then(column)
    return leaf.value if isinstance(leaf, Listed) else leaf


def decimal_text(amount: pl.Expr) -> pl.Expr:
    """Return an amount (a decimal) as its shortest text without exponent, for platforms that take it as a string."""
    text = amount.cast(pl.String)
    return (
        pl.when(text.str.contains(".", literal=True))
        .then(text.str.strip_chars_end("0").str.strip_chars_end("."))
        .otherwise(text)
    )
