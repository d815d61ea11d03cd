"""The rows due as the gate keeps them: who they are, and what each rule says of them.

Whole rows of a million events do not fit into memory at once. They come in parts, each part is looked at by every rule,
and what stays is a few bytes per row: no identifier, no address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.errors import ConfigurationError
from uploader.events import EVENTS, OUTBOX
from uploader.quality.rules import RowRule, row_rules
from uploader.quality.shares import MATCH_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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

        A part has the columns of `EVENTS` and `OUTBOX`. Of those of `EVENTS` outside of `rules.LOOKED_INTO` it only
        matters where they are NULL (see `uploader.warehouse.judged.read_judged`). Parts come in any order if they have
        a ``position``. Raises `ConfigurationError` when rows cannot be named.
        """
        rules, broken = row_rules(), dict[str, str]()
        rows, values = list[pl.DataFrame](), list[pl.DataFrame]()
        for part in parts:
            require_names("rows due", part)
            rows.append(_own(_narrow(part)))
            values.append(_own(_computed(part, rules, broken)))
        if not rows:
            return cls.gather([pl.DataFrame(schema={**EVENTS, **OUTBOX})])
        kept = [name for name in values[0].columns if name not in broken]
        found = cls(pl.concat(rows), pl.concat(part.select(kept) for part in values), broken)
        return found.sorted() if POSITION in found.rows.columns else found

    def sorted(self) -> Due:
        """Return the same by ``position``."""
        order = self.rows[POSITION].arg_sort()
        return Due(self.rows[order].drop(POSITION), self.values[order], self.broken)

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
        *(name for name in (POSITION, *NAMES) if name in part.columns),
        *(pl.when(pl.col(name).is_not_null()).then(True).alias(name) for name in MATCH_KEYS if name in part.columns),
    )


def _own(kept: pl.DataFrame) -> pl.DataFrame:
    """Copy what is kept: a column of a part that came through Arrow keeps all columns of that part in memory."""
    return pl.read_ipc(kept.write_ipc(None).getvalue())


def _computed(part: pl.DataFrame, rules: Iterable[RowRule], broken: dict[str, str]) -> pl.DataFrame:
    """Compute each rule's column, and write down which cannot be; an error of one rule is no other rule's."""
    wanted = {rule.column: _judged(rule).alias(rule.column) for rule in rules if rule.column not in broken}
    try:
        return part.select(wanted.values())  # all at once, on every core
    except pl.exceptions.PolarsError:
        columns: dict[str, pl.Series] = {}
        for name, values in wanted.items():
            try:
                columns[name] = part.select(values).to_series()
            except pl.exceptions.PolarsError as error:
                broken[name] = reason(error)
        return pl.DataFrame(columns)


def _judged(rule: RowRule) -> pl.Expr:
    """Make NULL count as broken where a rule must hold: Great Expectations passes over NULLs."""
    return rule.values.fill_null(value=False) if rule.expect == "holds" else rule.values
