"""What the gate found: one `Check` per rule, and the `Report` that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import polars as pl

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.settings import QualitySettings

Kind: TypeAlias = Literal["row", "share"]
Outcome: TypeAlias = Literal["passed", "failed", "errored"]

EXAMPLES: Final = 5
"""The most event keys that a check shows."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule and what came of it.

    A ``row`` rule must hold for each row due. A ``share`` may reach its limit in each destination, and is
    reported for the worst one (``where``). ``observed`` is None where there was nothing to judge.
    ``detail`` says what is broken about a check that ``errored``.
    """

    name: str
    column: str
    kind: Kind
    outcome: Outcome
    observed: float | None
    limit: float
    judged: int
    unexpected: int
    examples: tuple[str, ...]
    advice: str
    where: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The gate's answer for one batch. ``judged_at`` is aware and in UTC."""

    checks: tuple[Check, ...]
    rows_due: int
    rows_window: int
    judged_at: datetime
    thresholds: QualitySettings
    validations: tuple[Any, ...] = field(default=(), repr=False, compare=False)
    """Great Expectations' own results, from which the Data Docs are made."""

    @property
    def passed(self) -> bool:
        """Whether the batch may leave: every check passed."""
        return all(check.outcome == "passed" for check in self.checks)

    def having(self, outcome: Outcome) -> tuple[Check, ...]:
        """Return the checks that came out so."""
        return tuple(check for check in self.checks if check.outcome == outcome)

    @property
    def message(self) -> str:
        """Say in a few lines what holds the batch back, for a terminal or an exception."""
        if self.passed:
            return f"The quality gate passed: {len(self.checks)} checks, {self.rows_due} rows due."
        lines = ["The quality gate failed: nothing was sent."]
        lines += [f"  {check.name}: {found(check)}. {check.advice}" for check in self.having("failed")]
        lines += [
            f"  {check.name}: the check itself is broken, not the data ({check.detail})."
            for check in self.having("errored")
        ]
        return "\n".join(lines)


def found(check: Check) -> str:
    """Say in figures what a check found, e.g. ``3 of 40 rows (7.50%, at most 5.00%) in meta``."""
    if check.outcome == "errored":
        return "could not be judged"
    if check.observed is None:
        return "nothing to judge"
    text = f"{check.unexpected:,} of {check.judged:,} rows"
    if check.kind == "row":
        return text
    place = f" in {check.where}" if check.where else ""
    return f"{text} ({percent(check.observed, check.limit)}, at most {percent(check.limit)}){place}"


def percent(share: float, beside: float | None = None) -> str:
    """Write a share with two decimals, and with more where it would look like ``beside`` but is not."""
    for decimals in (2, 4, 6, 8):
        text = f"{share * 100:.{decimals}f}%"
        if beside is None or share == beside or text != f"{beside * 100:.{decimals}f}%":
            break
    return text


def shown_key(column: str = "event_key") -> pl.Expr:
    """Make event keys safe to print: no control character, no markup, no e-mail address, not too long.

    Shops choose their order ids, and some choose the customer's address.
    """
    key = pl.col(column).cast(pl.String)
    plain = key.str.replace_all(r"[^\p{L}\p{M}\p{N}._:/#-]", "?").str.slice(0, 80)
    return pl.when(key.str.contains("@", literal=True)).then(pl.lit("(key with an @)")).otherwise(plain)
