"""The report of ``uploader check --identifiers``: how good the shop's raw identifiers are, in counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl
from rich.table import Table
from rich.text import Text

from uploader.cli.console import print_json, stdout
from uploader.quality.report import percent
from uploader.warehouse import Connection, reading
from uploader.warehouse.identifiers import read_identifiers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from uploader.cli.context import Context

FIELDS: Final = (
    *("email", "phone", "external_id", "first_name", "last_name", "date_of_birth", "gender"),
    *("city", "region", "postal_code", "country"),
)
COVERAGE: Final = ("events", "filled", "valid", "invalid", "already_hashed", "unchanged")
CHANGES: Final = (
    *("case", "blanks", "punctuation", "digits", "unicode", "code", "date", "cutting"),
    *("plus", "country_code", "trunk_prefix", "other"),
)
COMPARED: Final = (
    *("same_as_sdk", "differs_from_sdk", "sdk_refuses", "only_sdk_sends", "neither_sends", "sdk_sends_clear"),
)
MEASURES: Final = (*COVERAGE, *(f"changed_by_{rule}" for rule in CHANGES), *COMPARED)
"""Every measure of the table; one that nothing comes under has no row there."""

Counts = dict[str, dict[str, int]]
"""Field -> measure -> events."""


def report(context: Context, *, as_json: bool) -> None:
    """Print the report; it judges nothing."""
    with reading(context.profile) as connection:
        total, sources = _read(context, connection)
    if as_json:
        print_json({"fields": total, "sources": sources})
        return
    console = stdout()
    events = max((counts["events"] for counts in total.values()), default=0)
    if not events:
        console.print("There are no events, so there are no identifiers to look at.", markup=False)
        return
    tables = [_coverage(total, events), _changes(total), _comparison(total)]
    if len(sources) > 1:
        tables.append(_by_source(sources))
    for table in tables:
        console.print(table)
        console.print()


def _read(context: Context, connection: Connection) -> tuple[Counts, dict[str, Counts]]:
    rows = read_identifiers(connection, context.profile)
    total = rows.group_by("field", "measure").agg(pl.col("event_count").sum())
    sources = {str(name): _counts(part) for (name,), part in sorted(rows.group_by("source_table"))}
    return _counts(total), sources


def _counts(rows: pl.DataFrame) -> Counts:
    """Turn rows into counts, with a zero for each measure that has no row; known fields come in our order."""
    found = {(field, measure): count for field, measure, count in rows.select("field", "measure", "event_count").rows()}
    present = {field for field, _ in found}
    fields = [name for name in FIELDS if name in present] + sorted(present - set(FIELDS))
    return {field: {measure: found.get((field, measure), 0) for measure in MEASURES} for field in fields}


def _grid(title: str, headings: Iterable[str]) -> Table:
    grid = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for position, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if position else "left")
    return grid


def _share(part: int, whole: int) -> str:
    return percent(part / whole, 1.0) if whole else "–"


def _coverage(total: Counts, events: int) -> Table:
    grid = _grid(
        f"Identifiers of {events:,} events: a value is there, and of those values something can be sent",
        ("field", "filled", "of events", "valid", "of filled", "invalid", "already hashed"),
    )
    for field, counts in total.items():
        filled, valid = counts["filled"], counts["valid"]
        shares = (_share(filled, counts["events"]), _share(valid, filled))
        figures = (f"{filled:,}", shares[0], f"{valid:,}", shares[1])
        grid.add_row(field, *figures, f"{counts['invalid']:,}", f"{counts['already_hashed']:,}")
    return grid


def _changes(total: Counts) -> Table:
    title = "What normalizing changed; a value can come under several rules"
    grid = _grid(title, ("field", "unchanged", "changed by"))
    grid.columns[-1].justify = "left"
    for field, counts in total.items():
        rules = [(rule.replace("_", " "), counts[f"changed_by_{rule}"]) for rule in CHANGES]
        changed = ", ".join(f"{rule} {count:,}" for rule, count in sorted(rules, key=_most_first) if count)
        if counts["valid"]:
            grid.add_row(field, f"{counts['unchanged']:,}", Text(changed or "–"))
    return grid


def _most_first(rule: tuple[str, int]) -> tuple[int, str]:
    return -rule[1], rule[0]


def _comparison(total: Counts) -> Table:
    grid = _grid(
        "Beside the platform's own SDK for Python, on the same values",
        ("field", "same hash", "other hash", "it refuses", "only it sends", "neither", "it sends in clear"),
    )
    for field, counts in total.items():
        if counts["filled"]:
            grid.add_row(field, *(f"{counts[measure]:,}" for measure in COMPARED))
    return grid


def _by_source(sources: Mapping[str, Counts]) -> Table:
    grid = _grid("By raw table", ("table and field", "events", "filled", "of events", "valid", "of filled"))
    for source, fields in sources.items():
        for field, counts in fields.items():
            if counts["filled"]:
                filled = (f"{counts['filled']:,}", _share(counts["filled"], counts["events"]))
                valid = (f"{counts['valid']:,}", _share(counts["valid"], counts["filled"]))
                grid.add_row(f"{source}.{field}", f"{counts['events']:,}", *filled, *valid)
    return grid
