"""Write docs/platforms.md, the comparison of all platforms, from their modules and seeds/destinations.csv.

Run it in the project's folder after a change of either: `python docs/make_platforms.py`.
"""

from __future__ import annotations

import csv
import math
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from uploader.destinations import load, names
from uploader.destinations.interface import Auth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.destinations.interface import Destination

PAGE: Final = Path(__file__).parent / "platforms.md"
SEED: Final = Path(__file__).parent.parent / "seeds" / "destinations.csv"
HEAD: Final = """# The platforms, side by side

Written by `python docs/make_platforms.py` from `uploader/destinations/` and `seeds/destinations.csv`; a test compares
it with them. Each platform has a page of its own, which says what to create there and what is not verified.

The consent purpose, the ages and the match keys are yours to change in the seed. A platform whose `is_enabled` is empty
there is not in use and costs nothing; `true` switches it on. Which event goes where stands in `seeds/event_routes.csv`.
"""
WAYS: Final = {
    Auth.TOKEN: "a token",
    Auth.OAUTH2: "OAuth 2.0, credentials in JSON",
    Auth.OAUTH1: "OAuth 1.0a, four keys in JSON",
}


def page() -> str:
    """Return the page as it should be."""
    with SEED.open(encoding="utf-8", newline="") as file:
        seed = {row["destination"]: row for row in csv.DictReader(file)}
    limits = [_limits(load(name)) for name in names()]
    times = [_times(load(name), seed[name]) for name in names()]
    ways = [_ways(load(name), seed[name]) for name in names()]
    parts = [
        HEAD,
        "## Requests\n",
        _table(("platform", "host", "events", "bytes", "requests a minute"), limits),
        "## Times\n",
        _table(("platform", "days old, at most", "in a shop", "an event again is known for"), times),
        "## People and access\n",
        _table(("platform", "purpose", "match keys, one of", "secret", "event names", "test mode"), ways),
    ]
    return "\n".join(parts)


def _limits(destination: Destination) -> tuple[str, ...]:
    rate = destination.requests_per_minute
    return (
        f"[{destination.name}](platforms/{destination.name}.md)",
        ", ".join(f"`{host}`" for host in destination.hosts),
        f"{destination.limits.events:,}",
        f"{destination.limits.bytes:,}",
        "not known" if math.isinf(rate) else f"{rate:,g}",
    )


def _times(destination: Destination, seed: Mapping[str, str]) -> tuple[str, ...]:
    windows = destination.windows
    others = [
        f"`{source}` {_lasting(window)}"
        for source, window in windows.dedup_by_source.items()
        if window != windows.dedup
    ]
    return (
        destination.name,
        seed["max_age_days"] or "any",
        seed["max_age_days_in_store"] or "any",
        "; ".join([_lasting(windows.dedup), *others]),
    )


def _lasting(window: timedelta | None) -> str:
    if window is None:
        return "not known"
    hours = window / timedelta(hours=1)
    return "never" if not hours else f"{hours:g} hours" if hours <= 48 else f"{hours / 24:g} days"


def _ways(destination: Destination, seed: Mapping[str, str]) -> tuple[str, ...]:
    keys = ", ".join(f"`{key}`" for key in seed["match_keys"].split()) or f"rule `{seed['match_rule']}`"
    if destination.needs_event_ids:
        called = f"ids of yours, like `{destination.event_id_example}`"
    else:
        others = f"; any other as `{destination.custom_event}`" if destination.custom_event else ""
        called = f"names, {len(destination.event_names)} of them standard{others}"
    return (
        destination.name,
        f"`{seed['consent_purpose']}`",
        keys,
        f"`{destination.token_env}`: {WAYS[destination.auth]}",
        called,
        "yes" if destination.has_test_mode else "no",
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
