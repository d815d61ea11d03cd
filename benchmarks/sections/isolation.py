"""A destination that is down: what it costs the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.bench import OTHER, TWO
from benchmarks.measuring import interleaved, median
from benchmarks.receiver import receiver
from benchmarks.table import Figure, Result

if TYPE_CHECKING:
    from benchmarks.bench import Bench

_FEWER: Final = 2
_DOWN: Final = 503
_SLOW_S: Final = 2.0
_LATER: Final = 75
"""The exit code of a run that one of its destinations must be called again for."""


def isolation(bench: Bench) -> Result:
    """Measure the requests to one destination, from the first to the last: alone, and beside another one in trouble."""
    shop = bench.shop(bench.part_of(_FEWER), also=TWO)
    with receiver() as meta, receiver(0, _DOWN) as broken, receiver(_SLOW_S, _DOWN) as slow:

        def lasted(other_url: str = "") -> float:
            meta.taken()
            shop.send(meta.url, other_url, _LATER) if other_url else shop.send(meta.url, only="meta")
            return meta.lasted()

        contenders = {
            "alone": lasted,
            "beside one that refuses": lambda: lasted(broken.url),
            "beside one that is slow": lambda: lasted(slow.url),
        }
        rounds = interleaved(bench.rounds, contenders)
    spent = {name: median(values) for name, values in rounds.items()}
    figures = [
        Figure(f"send: throughput {name}", spent["alone"] / spent[name] * 100, "%", 95, at_least=True)
        for name in spent.keys() - {"alone"}
    ]
    title = f"uploader send, {shop.events:,} events, while {OTHER} answers {_DOWN}, at once or after {_SLOW_S:g} s"
    return Result(title, sorted(figures, key=lambda figure: figure.name), rounds)
