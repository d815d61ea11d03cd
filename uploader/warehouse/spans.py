"""Parts of the window that delivery looks at, one after the other in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

IN_WINDOW: Final = "(outbox.is_sendable or outbox.expires_at >= $since or outbox.expires_at is null)"
"""The condition that a run must look at a row."""
Place: TypeAlias = tuple[datetime | None, str]
"""A time (UTC without zone) and an ``event_key``."""


@dataclass(frozen=True, slots=True)
class Span:
    """The rows from ``begin`` on and before ``end``, in the order of time and ``event_key``; rows without a time last.

    None is the beginning or the end of the window.
    """

    begin: Place | None = None
    end: Place | None = None

    def condition(self, table: str) -> tuple[str, dict[str, Any]]:
        """Return the condition that a row of ``table`` lies in the span, and the values that it needs."""
        after, first = self.begin or (None, None)
        before, last = self.end or (None, None)
        at, key = f"{table}.event_at", f"{table}.event_key"
        found = ["true"]
        if self.begin is not None:
            found.append(f"({at} > $after or {key} >= $first)" if after is not None else f"{key} >= $first")
        if self.end is not None and (before is not None or after is None):
            found.append(f"({at} < $before or {key} < $last)" if before is not None else f"{key} < $last")
        text = " and ".join([self.times(table), *found])
        values = {"after": after, "before": before, "first": first, "last": last}
        return text, {name: value for name, value in values.items() if f"${name}" in text}

    def times(self, table: str) -> str:
        """Return the condition that a row of ``table`` has such a time, with values as those of `condition`."""
        if self.begin is None:
            return "true"
        if self.begin[0] is None:
            return f"{table}.event_at is null"
        is_open = self.end is None or self.end[0] is None
        return f"{table}.event_at >= $after" + ("" if is_open else f" and {table}.event_at <= $before")


WHOLE: Final = Span()
