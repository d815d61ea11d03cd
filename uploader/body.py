"""What one event is made of: JSON keys, and the columns or lists whose values stand there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

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


def leaves(body: Body, prefix: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield the leaves with their paths, as in ``user_data.em``, in the order in which they were declared."""
    for key, value in body.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def expression(leaf: Leaf) -> pl.Expr:
    """Return the expression of a leaf's column."""
    if isinstance(leaf, Items):
        return pl.col(leaf.column)
    return leaf.value if isinstance(leaf, Listed) else leaf
