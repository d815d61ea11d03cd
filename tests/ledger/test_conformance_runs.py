"""Whole runs, planned and delivered, come to the same end with both kinds of sent log."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.support import delivering
from tests.support.delivering import NOW, accepted, rejecting
from tests.support.two_kinds import META, Counting, Host, Log
from uploader.clock import microseconds
from uploader.ledger import reading
from uploader.transport import Answer, InDoubt


def orders(count: int) -> pl.DataFrame:
    """Return orders with what the platform asks for at least."""
    return delivering.orders(count, external_id_sha256="a" * 64)


@pytest.fixture
def host(log: Log, tmp_path: Path) -> Host:
    """One host of a shop that never sent anything."""
    return Host(tmp_path, new_store=log.new_store, clock=log.clock, settings={"batch_size": 4})


def _lost(_events: list[dict[str, object]]) -> Answer:
    raise InDoubt("no answer came")


def _first_tries(host: Host) -> dict[str, int]:
    with host.ledger() as ledger:
        found = reading.in_doubt(ledger, META)
    return dict(found.select("event_id", "first_intent_at").rows())


def test_a_run_sends_every_row_once_and_buries_the_bad_one(host: Host, log: Log) -> None:
    """Six orders in batches of four, the third is refused; a second run finds nothing to do."""
    host.platform.judge = rejecting("purchase.3")
    books = host.run(orders(6)).books
    assert (books.read, books.acked, books.dead, books.new) == (6, 5, 1, 6)
    assert sorted(host.platform.taken) == [f"purchase.{n}" for n in (1, 2, 4, 5, 6)]
    assert log.states() == {
        f"purchase.{n}": ("dead", "100/2804050") if n == 3 else ("acked", None) for n in range(1, 7)
    }
    asked = len(host.platform.requests)
    books = host.run(orders(6)).books
    assert (books.already, books.requests, len(host.platform.requests)) == (6, 0, asked)


def test_a_lost_answer_is_asked_for_again_and_its_first_try_never_moves(host: Host, log: Log) -> None:
    """In doubt over three runs; then it is taken, and the first try is still the first."""
    host.platform.judge = _lost
    for _ in range(3):
        books = host.run(orders(2)).books
        assert (books.deferred, books.in_doubt, books.acked) == (2, 2, 0)
        assert _first_tries(host) == {"purchase.1": microseconds(NOW), "purchase.2": microseconds(NOW)}
        host.clock.forward(hours=10)
    host.platform.judge = accepted
    books = host.run(orders(2)).books
    assert (books.acked, books.resent) == (2, 2)
    assert log.states() == {"purchase.1": ("acked", None), "purchase.2": ("acked", None)}
    with host.ledger() as ledger:
        assert reading.states_of(ledger, META, ["purchase.1"])["first_intent_at"].to_list() == [microseconds(NOW)]


def test_what_is_in_doubt_for_too_long_waits_for_a_person(host: Host, log: Log) -> None:
    """Also when its row is gone; what may not be sent any more is suppressed. No request is made for them."""
    host.platform.judge = _lost
    host.run(orders(4))
    asked = len(host.platform.requests)
    host.platform.judge = accepted
    host.clock.forward(hours=1)
    denied = orders(2).filter(pl.col("event_id") == "purchase.2")
    denied = denied.with_columns(is_sendable=pl.lit(value=False), hold_reason=pl.lit("consent_withdrawn"))
    host.run(pl.concat([orders(1), denied, orders(4).filter(pl.col("event_id") == "purchase.4")]))
    assert len(host.platform.requests) == asked + 1
    assert log.states() == {
        "purchase.1": ("acked", None),
        "purchase.2": ("suppressed", "consent_withdrawn"),
        "purchase.3": ("held", "row_gone"),
        "purchase.4": ("acked", None),
    }
    host.platform.judge = _lost
    host.run(orders(5))
    host.clock.forward(hours=49)
    asked = len(host.platform.requests)
    books = host.run(orders(5)).books
    assert (books.held, len(host.platform.requests)) == (1, asked)
    assert log.states("purchase.5")["purchase.5"][0] == "held"


def test_the_platform_counts_every_order_once(log: Log, tmp_path: Path) -> None:
    """Two hosts take turns for a day, and every third answer is lost: the stand-in of the platform is the judge."""
    platform = Counting(log.clock)
    lost = iter(range(10_000))
    hosts = [Host(tmp_path, new_store=log.new_store, clock=log.clock, settings={"batch_size": 7}) for _ in range(2)]

    def post(*call: object) -> Answer:
        answer = platform(*call)
        if next(lost) % 3 == 0:
            raise InDoubt("the answer was lost")
        return answer

    for hour in range(1, 25):
        host = hosts[hour % 2]
        host.platform = post
        host.run(orders(5 * hour))
        log.clock.forward(hours=1)
    host.platform = platform
    host.run(orders(120))
    assert platform.counted() == {f"purchase.{n}": 1 for n in range(1, 121)}
    assert set(log.states().values()) == {("acked", None)}
