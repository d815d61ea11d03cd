"""How the sent log is written for people: whole ids, and nothing that a terminal would obey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uploader.delivery.exposure import DUE
from uploader.ledger import State
from uploader.report import aligned, lasting, money, packed, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from rich.console import Console

_WIDTH: Final = 110


def tell(console: Console, line: str) -> None:
    """Print a line as it is: not wrapped, and no word in it means anything to the console."""
    console.print(line, markup=False, emoji=False, soft_wrap=True)


def reason_text(reason: str | None) -> str:
    """Write a reason or a platform's code."""
    return printable(reason) if reason else "no code on record"


def place_text(name: str, destination_id: str) -> str:
    """Write where events go: the destination's name and its id in the sent log."""
    return printable(name if name == destination_id else f"{name} ({destination_id})")


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _age(moment: datetime | None, now: datetime) -> str:
    return lasting(now - moment) if moment else "-"


def state_text(state: str) -> str:
    """Name a state as people do."""
    return "in doubt" if state == State.INTENT else state


def overview(name: str, figures: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Write what `uploader status --json` says about a destination."""
    opened = (figures["open"] or {}).get("states", {})
    if any(figures["states"].values()):
        yield place_text(name, figures["destination_id"])
    else:
        yield f"{name}: nothing was sent yet."
    if figures["ages"] or opened:
        yield from _states(figures, opened, now)
    for group in figures["trouble"]:
        yield from _group(group, now)
    yield from _open(figures)
    if figures["not_before"] and figures["not_before"] > now:
        yield f"  {name} asked to be left alone until {_moment(figures['not_before'])}."
    yield from _breaker(figures["breaker"], now)


def _states(figures: Mapping[str, Any], opened: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Write the states as a table. What is due is not in the sent log yet; expiry is known of what may be sent."""
    rows: list[tuple[str, ...]] = [("rows", "state", "oldest event", "oldest entry", "first expires in")]
    due = opened.get(DUE)
    if due:
        rows.append((f"{due['events']:,}", DUE, _age(due["oldest_event_at"], now), "-", _left(due, now)))
    for state, ages in figures["ages"].items():
        times = (_age(ages[name], now) for name in ("oldest_event_at", "since"))
        rows.append((f"{figures['states'][state]:,}", state_text(state), *times, _left(opened.get(state), now)))
    yield from (f"  {line}" for line in aligned(rows, right={0}))


def _left(events: Mapping[str, Any] | None, now: datetime) -> str:
    return lasting(events["nearest_expiry"] - now) if events else "-"


def _group(group: Mapping[str, Any], now: datetime) -> Iterator[str]:
    why = "no answer on record" if group["state"] == State.INTENT else reason_text(group["reason"])
    named = state_text(group["state"]) if why == group["state"] else f"{state_text(group['state'])} ({why})"
    oldest = f", the oldest {_age(group['oldest_event_at'], now)} old" if group["oldest_event_at"] else ""
    yield f"  {named}: {plural(group['rows'], 'event')}{oldest}"
    more = ["…"] if group["rows"] > len(group["examples"]) else []
    yield from packed([*map(printable, group["examples"]), *more], _WIDTH, "      ")
    yield from packed([f"trace {printable(trace)}" for trace in group["trace_ids"]], _WIDTH, "      ")


def _open(figures: Mapping[str, Any]) -> Iterator[str]:
    if figures["open"] is None:
        if figures["open_unknown"]:
            yield f"  What is due, what expires, and its value, is not known: {figures['open_unknown']}"
        return
    for hours, risk in figures["open"]["at_risk"].items():
        if risk["events"]:
            value = money(risk["value"].items())
            yield f"  Expires within {hours} hours: {plural(risk['events'], 'event')}{', ' if value else ''}{value}"
    if figures["open"]["older_than_5_days"]:
        yield f"  Older than 5 days and not sent yet: {plural(figures['open']['older_than_5_days'], 'event')}"


def _breaker(breaker: Mapping[str, Any], now: datetime) -> Iterator[str]:
    if breaker["open_until"] and breaker["open_until"] > now:
        yield (
            f"  The breaker is open until {_moment(breaker['open_until'])}: "
            f"{plural(breaker['failures'], 'batch', 'batches')} in a row met a passing fault."
        )
    elif breaker["failures"]:
        yield f"  The last {plural(breaker['failures'], 'batch', 'batches')} met a passing fault."


def listing(name: str, state: State, figures: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Write the keys of a state, by reason; the event id stands last, so that a long one moves nothing."""
    keys, total = figures["listed"][state], figures["states"][state]
    yield f"{place_text(name, figures['destination_id'])}: {total:,} {state}"
    for reason in dict.fromkeys(key["reason"] for key in keys):
        yield f"  {reason_text(reason)}"
        yield from (f"    {line}" for line in _keys([key for key in keys if key["reason"] == reason], state, now))
    if len(keys) < total:
        yield f"  … and {total - len(keys):,} more (--limit)"


def _keys(keys: Sequence[Mapping[str, Any]], state: State, now: datetime) -> list[str]:
    rows: list[tuple[str, ...]] = [("event age", f"{state} for", "run", "trace", "event")]
    for key in keys:
        asked = (printable(key["run_id"] or "-"), printable(key["trace_id"] or "-"))
        named = f"{printable(key['event_name'])} {printable(key['event_id'])}"
        rows.append((_age(key["event_at"], now), _age(key["since"], now), *asked, named))
    return aligned(rows)
