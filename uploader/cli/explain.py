"""``uploader explain``: the story of one order."""

from __future__ import annotations

import textwrap
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uploader.cli.console import print_json, stdout
from uploader.cli.context import Context
from uploader.cli.survey import Choice, candidates
from uploader.encode import encode, leaf_paths
from uploader.errors import UsageError
from uploader.ledger import Ledger, reading
from uploader.ledger.reading import field_names
from uploader.report import printable
from uploader.warehouse import Connection, outbox, stories
from uploader.warehouse import reading as reading_warehouse

if TYPE_CHECKING:
    import polars as pl

    from uploader.delivery.targets import Target

_DECISION = (
    "is_sendable",
    "hold_reason",
    "consent_purpose",
    "consent_regime",
    "consent_at_event",
    "consent_at_as_of",
    "consent_decided_at",
    "is_limited_data_use",
    "expires_at",
    "as_of",
    "send_after",
)
_RECORD = ("source_table", "source_id", "session_id", "session_started_at")
_EVENT = ("event_name", "event_id", "event_at", "action_source", "value", "currency", "country_code", "region_code")


def explain(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The id of an order, another record or an event.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell why an order, a lead or another record was sent or not.

    Its state, session, consent, decision, delivery and the fields that leave.

    Example: uploader explain 1001
    """
    context = Context.load()
    with context.sent_log() as ledger, reading_warehouse(context.profile) as connection:
        targets = {target.name: target for target in candidates(context, connection, Choice())}
        story = _story(context, connection, ledger, targets, key)
    if as_json:
        print_json(story)
    else:
        _tell(story)


def _story(
    context: Context, connection: Connection, ledger: Ledger | None, targets: dict[str, Target], key: str
) -> dict[str, Any]:
    found = stories.events_of(connection, context.profile, key)
    # A lead or another record may have the same id as an order.
    orders = (stories.order_state(connection, context.profile, name) for name in (key, *found["order_id"].drop_nulls()))
    order = next((known for known in orders if known is not None), None)
    reason = stories.reason_without_event(connection, context.profile, key)
    if order is None and not found.height and reason is None:
        raise UsageError(
            f"No record and no event is called {printable(key)}. It must stand in the raw tables, and `dbt build` run."
        )
    events = []
    for record in found.to_dicts():
        keys = stories.decisions_of(connection, context.profile, record["event_key"])
        rows = outbox.read_rows(connection, context.profile, keys)
        parts = [rows.slice(position, 1) for position in range(rows.height)]
        events.append(
            {name: rows[name][0] for name in _EVENT}
            | {"record": {name: record[name] for name in _RECORD}}
            | {"destinations": {row["destination"][0]: _decision(row, targets, ledger) for row in parts}}
        )
    return {"key": key, "order": order, "makes_no_event": reason, "events": events}


def _decision(row: pl.DataFrame, targets: dict[str, Target], ledger: Ledger | None) -> dict[str, Any]:
    """Return one destination's decision about an event, what became of it, and the fields that leave."""
    told = {name: row[name][0] for name in _DECISION} | {"withheld_fields": (row["withheld_fields"][0] or "").split()}
    target = targets.get(row["destination"][0])
    if target is None:
        return told
    body = target.body()
    encoded = encode(row, body)
    paths = leaf_paths(body)
    fields = [path for position, path in enumerate(paths) if encoded.fields[0] >> position & 1]
    history = reading.history(ledger, row["event_id"][0]) if ledger and row["event_id"][0] else []
    mine = [entry for entry in history if entry["destination_id"] == target.destination_id]
    now = encoded.hashes()[0]
    sent = [entry for entry in mine if entry["hash"] is not None]
    return told | {
        "destination_id": target.destination_id,
        "fields": fields,
        "delivery": [_entry(entry) for entry in mine],
        "changed_since": sent[-1]["hash"] != now if sent else None,
    }


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    names = field_names(entry["paths"], entry["fields"]) if entry["paths"] else None
    return {name: entry[name] for name in ("state", "at", "settled_at", "reason", "by")} | {"fields": names}


def _tell(story: dict[str, Any]) -> None:
    _say(f"Order or event {printable(story['key'])}")
    order = story["order"]
    if order:
        _say(f"  raw order: {', '.join(f'{name} {_shown(value)}' for name, value in order.items())}")
    if story["makes_no_event"]:
        _say(f"  event:     none: {story['makes_no_event']}")
    for event in story["events"]:
        about = ", ".join(f"{name} {_shown(event[name])}" for name in _EVENT if event[name] is not None)
        _say(f"  event:     {about}")
        record = event["record"]
        session, begun = record["session_id"], record["session_started_at"]
        _say(f"  record:    {_shown(record['source_table'])} {_shown(record['source_id'])}")
        _say(f"  session:   {f'{session}, started {_shown(begun)}' if begun else 'none found'}")
        for name, decision in event["destinations"].items():
            _tell_decision(name, decision)


def _tell_decision(name: str, told: dict[str, Any]) -> None:
    verdict = "may be sent" if told["is_sendable"] else f"held: {told['hold_reason']}"
    _say(f"  {name}: {verdict} (decided as of {_shown(told['as_of'])}, accepted until {_shown(told['expires_at'])})")
    decided = told["consent_decided_at"]
    _say(
        f"    consent for {told['consent_purpose']} ({told['consent_regime']}): at the event "
        f"{told['consent_at_event'] or 'no decision'}, now {told['consent_at_as_of'] or 'no decision'}"
        f"{f'; relies on the decision of {_shown(decided)}' if decided else ''}"
        f"{'; limited data use' if told['is_limited_data_use'] else ''}"
    )
    if told["hold_reason"] == "waiting_period":
        _say(f"    its hold time ends {_shown(told['send_after'])}")
    if told["withheld_fields"]:
        _say(f"    withheld by policy: {', '.join(told['withheld_fields'])}")
    if "delivery" not in told:
        return
    for entry in told["delivery"]:
        reason = f" ({printable(entry['reason'])})" if entry["reason"] else ""
        _say(f"    {_shown(entry['at'])}: {entry['state']}{reason}, by {_shown(entry['by'])}")
    requests = [entry["fields"] for entry in told["delivery"] if entry["fields"]]
    would = "would send" if told["is_sendable"] else "if it were not held, it would send"
    done = "fields in the last request" if requests else f"not sent so far; {would}"
    _say(f"    {done}: {', '.join(requests[-1] if requests else told['fields'])}")
    if told["changed_since"] is not None:
        _say(f"    the row has {'changed' if told['changed_since'] else 'not changed'} since then")


def _shown(value: Any) -> str:
    """Write a value as a person would: times to the second, amounts without empty digits."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "-" if value is None else printable(str(value))


def _say(text: str) -> None:
    """Print a line; on a terminal and elsewhere it is wrapped under its own beginning."""
    indent = " " * (len(text) - len(text.lstrip()) + 4)
    wrapped = textwrap.fill(text, 110, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    stdout().print(wrapped, markup=False)
