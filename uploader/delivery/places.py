"""Which of an account's places each event goes to, and which events have none yet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.delivery.targets import Target


class Places:
    """The places of one destination's events."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._place = target.destination.place(target.account).alias("place")
        self._name = target.destination.event_name(target.account).alias("theirs")
        self._homeless = Counter[tuple[str, str]]()
        self._names: dict[str, set[str]] = {}

    def assign(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows with their ``place``, without those that have none: they wait for a setting."""
        placed = rows.with_columns(self._place)
        for ours, theirs in placed.select("event_name", self._name).unique().drop_nulls().rows():
            self._names.setdefault(theirs, set()).add(ours)
        homeless = placed.filter(pl.col("place").is_null())
        self._homeless.update(homeless.select("event_name", "action_source").rows())
        return placed.filter(pl.col("place").is_not_null()) if homeless.height else placed

    def warnings(self) -> Iterator[str]:
        """Name the settings that events wait for, and events that the platform cannot tell from each other."""
        waiting: dict[str, Counter[str]] = {}
        for (name, source), count in self._homeless.items():
            waiting.setdefault(self._target.destination.missing(name, source), Counter())[name] += count
        for setting, names in sorted(waiting.items()):
            yield (
                f"{self._target.name}: {names.total()} events ({', '.join(sorted(names))}) were not sent: they wait "
                f"for the setting {setting}. Set it, or take them out of seeds/event_routes.csv."
            )
        for theirs, ours in sorted(self._names.items()):
            if len(ours) > 1 and theirs != self._target.destination.custom_event:
                yield (
                    f"{self._target.name}: {' and '.join(sorted(ours))} both go as {theirs}, so they are one event "
                    f"there. Set destinations.{self._target.name}.events, or take one out of seeds/event_routes.csv."
                )
