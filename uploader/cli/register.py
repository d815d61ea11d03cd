"""``uploader register``: which data leaves to whom, made from what would really be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import polars as pl
import typer

from uploader.cli.console import print_json
from uploader.cli.context import Context
from uploader.destinations import load, names
from uploader.destinations.interface import Account, Secret
from uploader.encode import leaf_columns
from uploader.events import EVENTS
from uploader.warehouse import reading
from uploader.warehouse.sharing import read_sharing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.destinations.interface import Destination

Entry = dict[str, Any]

_ANY: Final = Account("", "", "", Secret(""))
"""Which fields leave does not depend on the account."""
_CONDITIONS = ("action_source", "event_name")


def register(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print the register of data sharing as Markdown: raw columns, recipients, form, purpose, how long.

    It is made from the payloads that the uploader builds and from the policy seeds. Example: uploader register
    """
    context = Context.load()
    with reading(context.profile) as connection:
        tables = read_sharing(connection, context.profile)
    entries = [
        _entry(row, tables, context.settings.ledger.retention_days)
        for row in tables["destinations"].to_dicts()
        if row["destination"] in names()
    ]
    if as_json:
        print_json({"destinations": {entry["destination"]: entry for entry in entries}})
        return
    for line in _markdown(entries):
        typer.echo(line)


def _entry(row: Entry, tables: dict[str, pl.DataFrame], retention_days: int) -> Entry:
    name = row["destination"]
    mine = pl.col("destination") == name
    routed = tables["event_routes"].filter(mine)["event_name"].to_list()
    return {
        "destination": name,
        "is_enabled": row["is_enabled"],
        "purpose": row["consent_purpose"],
        "events": routed,
        "sent_until_days": row["max_age_days"],
        "sent_until_days_in_store": row["max_age_days_in_store"],
        "sent_log_days": retention_days,
        "kept_by_the_recipient": row["retention"],
        "fields": list(_fields(load(name), tables, name)),
    }


def _fields(destination: Destination, tables: dict[str, pl.DataFrame], name: str) -> Iterator[Entry]:
    sources = tables["audit_field_sources"]
    groups = tables["field_groups"].rename({"column_name": "column"})
    mine = pl.col("destination").is_null() | (pl.col("destination") == name)
    rules = tables["field_policy"].filter(mine).join(groups, on="field")
    for path, columns in leaf_columns(destination.body(_ANY)).items():
        known = [column for column in columns if column in EVENTS]
        # A field may go with certain events only: what decides that is no part of what it says.
        known = [column for column in known if column not in _CONDITIONS] or known
        raw = sources.filter(pl.col("field").is_in(known)).select("raw_table", "raw_column").unique().sort(pl.all())
        withheld = rules.filter(pl.col("column").is_in(known))
        places = {
            "-".join(filter(None, (rule["country_code"], rule["region_code"]))) or "everywhere"
            for rule in withheld.to_dicts()
        }
        is_hashed = bool(known) and all("_sha256" in column for column in known)
        yield {
            "field": path,
            "raw_columns": [f"{table}.{column}" for table, column in raw.rows()],
            "form": "SHA-256" if is_hashed else "clear",
            "withheld_in": sorted(places),
        }


def _markdown(entries: list[Entry]) -> Iterator[str]:
    yield "# Register of data sharing"
    for entry in entries:
        state = "" if entry["is_enabled"] else " (switched off)"
        yield f"\n## {entry['destination']}{state}\n"
        yield f"- Purpose that consent is asked for: `{entry['purpose']}`, by the rules of `seeds/consent_policy.csv`."
        yield f"- Events: {', '.join(entry['events']) or 'none'}."
        days, in_store = entry["sent_until_days"], entry["sent_until_days_in_store"]
        yield (
            f"- Sent until {days} days after the event, {in_store} for sales in a shop. The sent log remembers the "
            f"event's id, times and the names of the fields, never their values, for {entry['sent_log_days']} days."
        )
        yield f"- Kept by the recipient: {entry['kept_by_the_recipient'] or 'not stated'}.\n"
        yield "| field | form | raw columns | withheld in |"
        yield "|---|---|---|---|"
        for field in entry["fields"]:
            raw = ", ".join(f"`{column}`" for column in field["raw_columns"]) or "made by the models"
            yield f"| `{field['field']}` | {field['form']} | {raw} | {', '.join(field['withheld_in'])} |"
