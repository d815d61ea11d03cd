"""The whole way of sending, as a process, to receivers on this machine."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks.bench import NOT_INSTALLED
from benchmarks.measuring import Failed, Run, interleaved, median
from benchmarks.receiver import receiver
from benchmarks.table import Figure, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench, Shop
    from benchmarks.receiver import Receiver

DELAY_S: Final = 0.05
_FEWER: Final = 4
_LARGE: Final = "10000"
"""Rows in a batch of drt's: ten requests over one connection, of which each of its batches opens a new one."""
_AS_IT_COMES: Final = "drt as it comes"
"""With the batches that it makes where nobody sets another size."""
PARTS: Final = ("start-up", "read and diff", "encode", "ledger", "posting")


def send(bench: Bench) -> Result:
    """Measure a first send of everything to a receiver that answers at once, beside its parts and the rivals."""
    shop, empty = bench.shop(bench.events), bench.shop(0)
    with receiver() as meta:
        contenders = {
            "uploader send": lambda: _counted(lambda: shop.send(meta.url), meta, shop.events),
            "start-up": lambda: empty.send(meta.url).seconds,
            "read and diff": lambda: _read(shop),
            "encode": lambda: _inner(shop, "encode"),
            "ledger": lambda: _ledger(shop),
            "publishing": lambda: _inner(shop, "publish"),
            "posting": lambda: _inner(shop, "post", meta.url),
            **_rivals(bench, shop, meta),
        }
        rounds = interleaved(bench.rounds, contenders)
    ours, parts = median(rounds["uploader send"]), sum(median(rounds[name]) for name in PARTS)
    figures = [Figure("send: events per second", bench.events / ours / 1000, "thousand", note=f"{ours:.2f} s")]
    for name, words, goal in (("drt", "drt", 8), (_AS_IT_COMES, "drt as it comes", None), ("sdk", "Meta's SDK", 12)):
        theirs = median(rounds[name]) if name in rounds else None
        note = NOT_INSTALLED if theirs is None else f"{theirs:.2f} s"
        ratio = None if theirs is None else theirs / ours
        figures.append(Figure(f"send: against {words}", ratio, "×", goal, at_least=True, note=note))
    told = ", ".join(f"{name} {median(rounds[name]):.2f}" for name in (*PARTS, "publishing"))
    note = f"{told} s; publishing is not in the sum"
    figures.append(Figure("send: against the sum of its parts", ours / parts, "×", 1.3, note=note))
    return Result(f"uploader send, {bench.events:,} events, answers at once", figures, rounds)


def _counted(sender: Callable[[], Run], meta: Receiver, events: int) -> float:
    """Return the seconds of a run, once the receiver says that all of it came, and nothing twice."""
    meta.taken()
    done = sender()
    if (taken := meta.taken()) != events:
        raise Failed(f"{taken} events came, {events} were to be sent")
    return done.seconds


def _inner(shop: Shop, *words: str) -> float:
    """Return the seconds that a part took by itself, without its process."""
    told = shop.part(*words).told
    if words[0] != "publish" and told["events"] != shop.events:
        raise Failed(f"{words[0]}: {told['events']} of {shop.events} events")
    return float(told["seconds"])


def _read(shop: Shop) -> float:
    shop.forget()
    shop.check()
    return _inner(shop, "read")


def _ledger(shop: Shop) -> float:
    shop.forget()
    return _inner(shop, "ledger")


def _rivals(bench: Bench, shop: Shop, meta: Receiver) -> dict[str, Callable[[], float]]:
    found: dict[str, Callable[[], float]] = {}
    if sdk := bench.python_of_sdk:
        sender = partial(bench.rival, sdk, "sdk", "send", shop.warehouse, meta.url)
        found["sdk"] = partial(_counted, sender, meta, shop.events)
    if drt := bench.python_of_drt:
        fewer = bench.shop(bench.part_of(_FEWER))
        sender = partial(bench.rival, drt, "drt", "send", shop.warehouse, meta.url, _LARGE)
        found["drt"] = partial(_counted, sender, meta, shop.events)
        slower = partial(bench.rival, drt, "drt", "send", fewer.warehouse, meta.url)
        # Minutes, which grow with the events: a part of them tells as much.
        found[_AS_IT_COMES] = lambda: _counted(slower, meta, fewer.events) * shop.events / fewer.events
    return found


def slow(bench: Bench) -> Result:
    """Measure the same to a receiver that takes its time, beside a bare session that posts the same bodies."""
    shop = bench.shop(bench.part_of(_FEWER))
    with receiver(DELAY_S) as meta:
        contenders = {
            "uploader send": lambda: _counted(lambda: shop.send(meta.url), meta, shop.events),
            "bare session": lambda: _inner(shop, "post", meta.url),
        }
        rounds = interleaved(bench.rounds, contenders)
    bare = median(rounds["bare session"])
    figure = Figure(
        "send: against a bare session, answers after 50 ms",
        median(rounds["uploader send"]) / bare,
        "×",
        1.2,
        note=f"bare session {bare:.2f} s, one request at a time",
    )
    title = f"uploader send, {shop.events:,} events (1/{_FEWER} of the others), answers after {DELAY_S * 1000:.0f} ms"
    return Result(title, [figure], rounds)
