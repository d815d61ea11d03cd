"""The gate's report as a short table for the terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uploader.quality.report import Check, Report, percent

MARKS: Final = {
    "passed": Text("passed", style="green"),
    "failed": Text("FAILED", style="bold red"),
    "errored": Text("BROKEN", style="bold yellow"),
}


def table(report: Report) -> RenderableType:
    """Show the shares with their limits, and the row rules that did not pass; the others in one line."""
    answer = Text("passed", style="bold green") if report.passed else Text("FAILED", style="bold red")
    title = Text.assemble(
        "Quality gate: ", answer, f" · {report.rows_due:,} rows due, {report.rows_window:,} in the window"
    )
    grid = Table(title=title, title_justify="left", title_style="", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("check", "found", "limit", "rows", ""):
        grid.add_column(heading, justify="right" if heading in {"found", "limit", "rows"} else "left")
    for check in report.checks:
        if check.kind == "share" or check.outcome != "passed":
            grid.add_row(*_cells(check))
    kept = [check for check in report.checks if check.kind == "row" and check.outcome == "passed"]
    grid.add_row(Text(f"{len(kept)} other rules for each row due"), "", "", f"{report.rows_due:,}", MARKS["passed"])
    return Group(grid, *_advice(report))


def _cells(check: Check) -> tuple[Text, ...]:
    name = Text(check.name)
    if check.outcome == "errored":
        return name, Text("–"), Text("–"), Text("–"), MARKS["errored"]
    if check.kind == "row":
        return name, Text(f"{check.unexpected:,}"), Text("0"), Text(f"{check.judged:,}"), MARKS[check.outcome]
    observed = Text("–") if check.observed is None else Text(percent(check.observed, check.limit))
    return name, observed, Text(percent(check.limit)), Text(f"{check.judged:,}"), MARKS[check.outcome]


def _advice(report: Report) -> list[Text]:
    lines = []
    for check in report.having("failed"):
        place = f" ({check.where})" if check.where else ""
        examples = f" For example {', '.join(check.examples)}." if check.examples else ""
        lines.append(Text.assemble("\n", (f"{check.name}{place}: ", "bold"), f"{check.advice}{examples}"))
    lines += [
        Text.assemble("\n", (f"{check.name}: ", "bold"), f"the check itself is broken, not the data: {check.detail}.")
        for check in report.having("errored")
    ]
    return lines
