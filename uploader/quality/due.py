"""The rows due as the gate keeps them: who they are, and what each rule says of them.

Whole rows of a million events do not fit into memory at once. They come in parts, each part is looked at by every rule,
and what stays is a few bytes per row: no identifier, no address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.errors import ConfigurationError
from uploader.events import EVENTS, OUTBOX
from uploader.quality.rules import RowRule, row_rules
from uploader.quality.shares import MATCH_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable

POSITION: Final = "position"
NAMES: Final = ("destination", "event_key", "event_name", "event_id", "event_at")


@dataclass(frozen=True, slots=True)
class Due:
    """What the gate knows of the rows due, in the order in which they are to be sent.

    ``rows``: ``destination, event_key, event_name, event_id, event_at``, and for each of `MATCH_KEYS` whether there is
    a value (true or NULL), as far as the parts had these columns. ``values``: a column per rule, as long as ``rows``.
    ``broken``: why a rule could not be computed, by its column; it has no ``values``.
    """

    rows: pl.DataFrame
    values: pl.DataFrame
    broken: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def gather(cls, parts: Iterable[pl.DataFrame]) -> Due:
        """Look at every row of every part.

        A part has the columns of `EVENTS` and `OUTBOX`. Those of `EVENTS` outside of `rules.LOOKED_INTO` may be
        anything that is NULL where the event has no value. Parts come in any order if they have a ``position``.
        Raises `ConfigurationError` when rows cannot be named.
        """
        rules, broken = row_rules(), dict[str, str]()
        rows, values, positions = list[pl.DataFrame](), list[pl.DataFrame](), list[pl.Series]()
        for part in parts:
            require_names("rows due", part)
            rows.append(_narrow(part))
            values.append(_computed(part, rules, broken))
            positions.append(part[POSITION] if POSITION in part.columns else pl.Series([], dtype=pl.UInt32))
        if not rows:
            return cls.gather([pl.DataFrame(schema={**EVENTS, **OUTBOX})])
        kept = [name for name in values[0].columns if name not in broken]
        found = cls(pl.concat(rows), pl.concat(part.select(kept) for part in values), broken)
        order = pl.concat(positions).arg_sort()
        return found if order.is_empty() else cls(found.rows[order], found.values[order], broken)

    @property
    def height(self) -> int:
        """How many rows are due."""
        return self.rows.height


def require_names(title: str, frame: pl.DataFrame) -> None:
    """Raise `ConfigurationError` for rows that a report could not name."""
    missing = [name for name in ("destination", "event_key") if name not in frame.columns]
    if missing:
        raise ConfigurationError(f"The {title} lack {', '.join(missing)}: run `dbt build`.")


def reason(error: pl.exceptions.PolarsError) -> str:
    """Say what broke a rule, without the values that an exception may quote."""
    if isinstance(error, pl.exceptions.ColumnNotFoundError):
        return str(error).partition(";")[0]
    return f"a column has an unexpected type: {type(error).__name__}"


def _narrow(part: pl.DataFrame) -> pl.DataFrame:
    return part.select(
        *(name for name in NAMES if name in part.columns),
        *(pl.when(pl.col(name).is_not_null()).then(True).alias(name) for name in MATCH_KEYS if name in part.columns),  # noqa: FBT003
    )


def _computed(part: pl.DataFrame, rules: Iterable[RowRule], broken: dict[str, str]) -> pl.DataFrame:
    """Compute each rule's column, and write down which cannot be; an error of one rule is no other rule's."""
    columns: dict[str, pl.Series] = {}
    for rule in rules:
        if rule.column in columns or rule.column in broken:
            continue
        try:
            columns[rule.column] = part.select(_judged(rule).alias(rule.column)).to_series()
        except pl.exceptions.PolarsError as error:
            broken[rule.column] = reason(error)
    return pl.DataFrame(columns)


def _judged(rule: RowRule) -> pl.Expr:
    """Make NULL count as broken where a rule must hold: Great Expectations passes over NULLs."""
    return rule.values.fill_null(value=False) if rule.expect == "holds" else rule.values
