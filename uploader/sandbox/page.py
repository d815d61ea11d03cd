"""The page for people: what the sandbox counted, as one plain HTML document."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

COLUMNS: Final = (
    *("event_name", "event_id", "event_time", "action_source", "value", "currency"),
    *("times_received", "user_data"),
)
NEWEST: Final = 50
"""How many events the page shows of each dataset."""

HEAD: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sandbox: what was counted</title><style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } td, th { border: 1px solid #ccc; padding: .2rem .6rem }
th { background: #f4f4f4; text-align: left } .n { text-align: right }
</style></head><body>
"""


def render(now: datetime, counts: Mapping[str, Mapping[str, Any]], events: Mapping[str, list[Any]]) -> bytes:
    """Return the page for these counts and these counted events per dataset."""
    parts = [HEAD, "<h1>What the sandbox counted</h1>", f"<p>Its clock shows {_text(now.isoformat())}.</p>"]
    if not counts:
        parts.append("<p>Nothing has arrived yet.</p>")
    for dataset_id, figures in counts.items():
        parts.append(f"<h2>Dataset {_text(dataset_id)}</h2>")
        parts.append(_table(("", "events", "test events"), _figures(figures)))
        newest = events.get(dataset_id, [])[-NEWEST:][::-1]
        parts.append(f"<h3>The newest {len(newest)} counted events</h3>")
        parts.append(_table(COLUMNS, ([event[column] for column in COLUMNS] for event in newest)))
    return "".join([*parts, "</body></html>\n"]).encode("utf-8", "replace")


def _figures(figures: Mapping[str, Any]) -> Iterable[list[object]]:
    for name in ("requests", "received", "counted", "duplicates", "value", "refused", "warnings", "faults"):
        yield [name, _plain(figures[name]), _plain(figures["test"][name])]


def _plain(figure: object) -> object:
    if isinstance(figure, dict):
        return ", ".join(f"{name}: {value}" for name, value in figure.items()) or "none"
    return figure


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    cells = "".join(f"<th>{_text(name)}</th>" for name in head)
    lines = ("".join(f"<td>{_text(value)}</td>" for value in row) for row in rows)
    return f"<table><tr>{cells}</tr>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    return escape(str(value))
