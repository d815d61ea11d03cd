"""What came out: figures with their goals, as a table, as JSON and as a chart."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ROW, _TOP, _LEFT, _UNIT, _MOST = 26, 64, 430, 150, 2.5


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; ``goal`` None is for the record only, ``value`` None says in ``note`` why there is none."""

    name: str
    value: float | None
    unit: str
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Tell whether the goal is met, None where that cannot be said."""
        if self.value is None or self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    @property
    def share(self) -> float:
        """Return how the figure stands to its goal: 1 is just met, more is better."""
        assert self.value is not None
        assert self.goal is not None
        return self.value / self.goal if self.at_least else self.goal / max(self.value, 1e-9)

    def cells(self) -> tuple[str, str, str, str]:
        """Return figure, goal, whether it is met, and the remark, for people."""
        value = "–" if self.value is None else f"{self.value:,.2f} {self.unit}"
        goal = "" if self.goal is None else f"{'≥' if self.at_least else '≤'} {self.goal:g} {self.unit}"
        met = {True: "yes", False: "no", None: ""}[self.is_met]
        return value, goal, met, self.note


@dataclass(frozen=True, slots=True)
class Result:
    """One section: its figures, and every round behind them."""

    title: str
    figures: Sequence[Figure]
    rounds: Mapping[str, Sequence[float]] = field(default_factory=dict)


def text(results: Sequence[Result]) -> str:
    """Write the table."""
    rows = [("", "figure", "goal", "met", "")]
    for result in results:
        rows.append((result.title, "", "", "", ""))
        rows += [(f"  {figure.name}", *figure.cells()) for figure in result.figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {goal:>{widths[2]}}  {met:<{widths[3]}}  {note}".rstrip()
        for name, value, goal, met, note in rows
    ]
    return "\n".join(lines)


def write(results: Sequence[Result], folder: Path, about: Mapping[str, Any]) -> None:
    """Write ``bench.json``, ``bench.txt`` and ``bench.svg``."""
    machine = {"python": platform.python_version(), "system": platform.platform()}
    sections = [
        {
            "title": result.title,
            "figures": [
                {"name": one.name, "value": one.value, "unit": one.unit, "goal": one.goal}
                | {"at_least": one.at_least, "met": one.is_met, "note": one.note}
                for one in result.figures
            ],
            "rounds": dict(result.rounds),
        }
        for result in results
    ]
    content = {**about, "machine": machine, "sections": sections}
    (folder / "bench.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "bench.txt").write_text(text(results) + "\n", encoding="utf-8")
    (folder / "bench.svg").write_text(_chart(results), encoding="utf-8")


_STYLE: Final = (
    "text{font:13px sans-serif;fill:#222}.title{font-size:16px;font-weight:bold}.yes{fill:#2a7f62}.no{fill:#c0563b}"
    ".goal{stroke:#222;stroke-width:1.5;stroke-dasharray:4 3}.small{font-size:11px;fill:#555}"
)


def _chart(results: Sequence[Result]) -> str:
    """Draw one bar per figure that has a goal: its length is the share of the goal, the line is the goal itself."""
    figures = [one for result in results for one in result.figures if one.is_met is not None]
    height = _TOP + _ROW * len(figures) + 30
    width = _LEFT + int(_UNIT * _MOST) + 190
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>{_STYLE}</style>",
        '<rect width="100%" height="100%" fill="white"/>',
        '<text class="title" x="16" y="28">How each figure stands to its goal</text>',
        f'<text class="small" x="16" y="46">A bar beyond the line meets its goal; it ends at {_MOST:g} times.</text>',
    ]
    for position, figure in enumerate(figures):
        top = _TOP + _ROW * position
        length = _UNIT * min(figure.share, _MOST)
        value, goal, met, _ = figure.cells()
        parts += [
            f'<text x="{_LEFT - 10}" y="{top + 14}" text-anchor="end">{escape(figure.name)}</text>',
            f'<rect class="{met}" x="{_LEFT}" y="{top + 2}" width="{length:.1f}" height="16"/>',
            f'<text class="small" x="{_LEFT + length + 6:.1f}" y="{top + 14}">{escape(f"{value} ({goal})")}</text>',
        ]
    line = _LEFT + _UNIT
    parts.append(f'<line class="goal" x1="{line}" x2="{line}" y1="{_TOP - 6}" y2="{height - 24}"/></svg>')
    return "\n".join(parts) + "\n"
