"""What grows with the shop and what must not: memory, time per event, and the cost of a long history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bench import UNORDERED, fixture, require
from benchmarks.measuring import Run, interleaved, median, say
from benchmarks.receiver import receiver
from benchmarks.sections.commands import GIB
from benchmarks.table import Figure, Result

if TYPE_CHECKING:
    from benchmarks.bench import Bench, Shop


def memory(bench: Bench) -> Result:
    """Measure a first send of all events and of ten times as many: the most memory it had, and time per event.

    And of as many whose ids are like UUIDs: an index of them is dear.
    """
    small, large = bench.shop(bench.events), bench.shop(10 * bench.events)
    unordered = bench.shop(bench.events, also=UNORDERED)
    peaks: dict[int, list[float]] = {small.events: [], large.events: []}
    with receiver() as meta:

        def once(shop: Shop) -> float:
            done: Run = shop.send(meta.url)
            if shop is not unordered:
                peaks[shop.events].append(done.peak_bytes / GIB)
            return done.seconds / shop.events * 1_000_000

        contenders = {f"{shop.events:,} events": lambda shop=shop: once(shop) for shop in (small, large)}
        contenders["ids in no order"] = lambda: once(unordered)
        rounds = interleaved(bench.rounds, contenders)
    times = [median(values) for values in rounds.values()]
    most = [median(peaks[shop.events]) for shop in (small, large)]
    figures = [
        Figure(f"send: peak memory, {small.events:,} events", most[0], "GiB", 1),
        Figure(f"send: peak memory, {large.events:,} events", most[1], "GiB", 1),
        Figure("send: memory of ten times as many", most[1] / most[0], "×", 1.2),
        Figure(
            "send: time per event of ten times as many",
            times[1] / times[0],
            "×",
            1.2,
            note=f"{times[0]:.2f} and {times[1]:.2f} µs",
        ),
        Figure(f"send: {small.events:,} ids in no order", times[2] / times[0], "×", 1.3, note=f"{times[2]:.2f} µs"),
    ]
    told = {f"peak memory in GiB, {events:,} events": values for events, values in peaks.items()}
    return Result("uploader send, as the shop grows", figures, {**rounds, **told})


def nothing_new(bench: Bench) -> Result:
    """Measure `uploader send` when everything was sent; the first run, which makes the day's backup, is not counted."""
    recent = bench.part_of(10)
    shop = bench.shop(10 * bench.events, recent)
    if not (shop.folder / "sent_log.sqlite").exists():
        say(f"  filling a sent log with {shop.events:,} events")
        fixture("sent", shop.folder)

    def once() -> float:
        done = shop.uploader("send", "--json")
        require(done.output, f'"already": {recent},')
        require(done.output, '"requests": 0')
        return done.seconds

    once()
    rounds = interleaved(bench.rounds, {"uploader send": once})
    figure = Figure("send: nothing new", median(rounds["uploader send"]), "s", 3)
    return Result(f"uploader send, {shop.events:,} events known, {recent:,} in the window, none new", [figure], rounds)
