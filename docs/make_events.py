"""Writes the map of events into events.md beside this file, from the models' own properties and the policy seeds.

Run it after an event was added or changed: ``python docs/make_events.py``.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "events.md"
EVENTS: Final = ROOT / "models" / "intermediate" / "events"
BEGIN, END = "<!-- map: begin -->", "<!-- map: end -->"


def seed(name: str) -> list[dict[str, str]]:
    """Read the rows of a seed."""
    with (ROOT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def events() -> list[dict[str, Any]]:
    """Read what each model says of its event, in the order of the union."""
    models = re.findall(r"ref\('(int_events__\w+)'\)", (EVENTS / "int_events__unioned.sql").read_text(encoding="utf-8"))
    found = []
    for model in models:
        properties = yaml.safe_load((EVENTS / f"{model}.yml").read_text(encoding="utf-8"))
        told: dict[str, Any] = properties["models"][0]["config"]["meta"]["event"]
        found.append(told | {"model": model})
    return found


def consent(name: str) -> str:
    """Say where an event goes and what the person must have consented to."""
    purposes = {row["destination"]: row["consent_purpose"] for row in seed("destinations")}
    goes = [row["destination"] for row in seed("event_routes") if row["event_name"] == name]
    return ", ".join(f"{place}: {purposes[place]}" for place in goes) or "by name, see below"


def event_map() -> str:
    """Return the map as Markdown."""
    lines = [
        "| event | trigger | raw table | browser | server | main fields | goes to, with consent for |",
        "|---|---|---|---|---|---|---|",
    ]
    for event in events():
        link = f"[{event['name']}](../models/intermediate/events/{event['model']}.sql)"
        browser = f"`{event['browser']}`" if event["browser"].startswith("fbq") else event["browser"]
        fields = ", ".join(f"`{field}`" for field in event["fields"])
        cells = (
            link,
            event["trigger"],
            f"`{event['source']}`",
            browser,
            event["server"],
            fields,
            consent(event["name"]),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    own = {event["name"] for event in events()}
    rest = [row for row in seed("event_routes") if row["event_name"] not in own]
    by_name = ", ".join(f"`{row['event_name']}` ({row['destination']})" for row in rest)
    lines += [
        "",
        f"Events that take their name from a row go where `seeds/event_routes.csv` sends that name: {by_name}.",
    ]
    return "\n".join(lines)


def page(text: str) -> str:
    """Return the page with its map renewed."""
    head, tail = text.split(BEGIN, maxsplit=1)[0], text.split(END, maxsplit=1)[1]
    return f"{head}{BEGIN}\n{event_map()}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
