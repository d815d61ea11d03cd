"""Say in figures what is due, sent and held. Pure: frames in, plain data out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import timedelta

    import polars as pl


def money(rows: Iterable[tuple[str | None, Any]]) -> str:
    """Write values by currency, e.g. ``12.50 EUR, 900 JPY``."""
    return ", ".join(f"{float(value):,.2f} {currency or '?'}" for currency, value in rows if value)


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Write a count with its noun: ``1 request``, ``2 requests``; ``many`` is a plural without a plain s."""
    return f"{count} {noun if count == 1 else many or f'{noun}s'}"


def printable(text: str) -> str:
    """Show what a terminal would obey or hide (controls, bidi marks, line separators) as its escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def is_text(text: str) -> bool:
    """Tell whether this is UTF-8: what is not, in a name or an argument, comes from Python with marks in its place."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def lasting(span: timedelta) -> str:
    """Write a length of time as its two largest parts: ``6 d 3 h``, ``4 h 10 min``, ``0 min``."""
    minutes = max(int(span.total_seconds()) // 60, 0)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    first = next((position for position, (count, _) in enumerate(parts) if count), 2)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 min"


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Write rows as lines with their cells below each other; the columns in ``right`` end at the same place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if position in right else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def packed(words: Sequence[str], width: int, indent: str) -> Iterator[str]:
    """Write words with commas on as few lines as hold them; no word is broken."""
    line = indent
    for position, word in enumerate(words):
        part = word if position == len(words) - 1 else f"{word},"
        if line != indent and len(line) + 1 + len(part) > width:
            yield line
            line = indent
        line = f"{line}{'' if line == indent else ' '}{part}"
    if line != indent:
        yield line


def _by_currency(frame: pl.DataFrame) -> dict[str, str]:
    sums = frame.select("currency", "value").group_by("currency").sum().sort("currency", nulls_last=True)
    return {currency or "?": str(value) for currency, value in sums.rows() if value}


def plan_figures(tally: pl.DataFrame, standing: pl.DataFrame, without_event: pl.DataFrame) -> dict[str, Any]:
    """Return per destination and event: due, done before and how, waiting, held by reason, value by currency.

    ``tally`` as `uploader.warehouse.outbox.read_tally`, ``standing`` as
    `uploader.delivery.planning.standing_counts`, ``without_event`` as ``read_orders_without_event``.
    """
    import polars as pl  # words and numbers are written here too, also where there is no frame

    destinations: dict[str, Any] = {}
    for (name, event), rows in tally.group_by("destination", "event_name", maintain_order=True):
        mine = (
            standing.filter((pl.col("destination") == name) & (pl.col("event_name") == event))
            if standing.width
            else standing
        )
        counted = dict(mine.group_by("standing").agg(pl.col("rows").sum()).rows()) if mine.width else {}
        held = rows.filter(pl.col("hold_reason").is_not_null())
        by_reason = (
            held.group_by("hold_reason").agg(pl.col("rows").sum()).sort("rows", "hold_reason", descending=[True, False])
        )
        due = mine.filter(pl.col("standing") == "due") if mine.width else mine
        done = {key.partition(":")[2]: counted.pop(key) for key in sorted(counted) if ":" in key}
        destinations.setdefault(str(name), {})[str(event)] = {
            "due": counted.pop("due", 0),
            "already": sum(done.values()),
            "sent_log": done,
            **{key: counted[key] for key in sorted(counted)},
            "held": dict(by_reason.rows()),
            "due_value": _by_currency(due) if due.width else {},
            "held_value": _by_currency(held),
        }
    return {"destinations": destinations, "orders_without_event": dict(without_event.rows())}
