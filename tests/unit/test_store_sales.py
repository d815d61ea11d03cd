"""A sale in a store is known by its order and time, not by its id: when it may be sent again, and when not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.delivering import World, accepted, orders
from tests.support.sandbox_events import judge
from uploader.sandbox.counts import Books
from uploader.sandbox.meta_count import received
from uploader.sandbox.received import Upload
from uploader.transport import Answer

ACCEPTED_UNTIL = "2027-01-20T12:00:00"
IN_STORE = {"action_source": "physical_store", "expires_at": ACCEPTED_UNTIL, "email_sha256": "a" * 64}


class Counted:
    """The sandbox's books behind a line that loses every answer of the first run."""

    def __init__(self, world: World) -> None:
        self.books, self._world, self._since = Books(), world, world.clock.now

    def __call__(self, events: list[dict[str, object]]) -> Answer:
        """Count, then answer or not."""
        now = self._world.clock.now
        judged = judge(*events, now=now)
        assert judged.refusal is None
        taken = tuple(map(received, judged.events))
        self.books.enter(Upload(judged.dataset_id, judged.answer("A"), taken), now, "meta")
        return Answer(500, b"", {}) if now - self._since < timedelta(minutes=1) else accepted(events)

    @property
    def sales(self) -> int:
        """How many sales were counted."""
        return int(self.books.counts()["1"]["counted"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop that never sent anything."""
    return World(tmp_path)


@pytest.mark.parametrize("age", [{"minutes": 20}, {"hours": 60}, {"days": 6, "hours": 22}])
def test_a_sale_of_an_order_is_sent_again_for_a_week(world: World, age: dict[str, float]) -> None:
    """The platform counts it once, also when more is known of the customer by then."""
    world.platform.judge = counted = Counted(world)
    world.run(orders(1, **IN_STORE))
    world.clock.forward(**age)
    again = orders(1, **IN_STORE, phone_digits_sha256="b" * 64)
    assert (world.run(again).books.acked, counted.sales) == (1, 1)


def test_after_a_week_a_person_decides(world: World) -> None:
    """An hour before the window ends: held, and no request."""
    world.platform.judge = counted = Counted(world)
    world.run(orders(1, **IN_STORE))
    world.clock.forward(days=6, hours=23, minutes=1)
    asked = len(world.platform.requests)
    assert (world.run(orders(1, **IN_STORE)).books.held, counted.sales, len(world.platform.requests)) == (1, 1, asked)


def test_a_sale_without_an_order_is_not_sent_twice(world: World) -> None:
    """It is known by its customer's fields, and these can be others in the next build: it would count twice."""
    world.platform.judge = counted = Counted(world)
    world.run(orders(1, **IN_STORE, order_id=None))
    world.clock.forward(minutes=1)
    richer = orders(1, **IN_STORE, order_id=None, phone_digits_sha256="b" * 64)
    assert (world.run(richer).books.held, counted.sales, len(world.platform.requests)) == (1, 1, 1)


@pytest.mark.parametrize(("source", "books"), [("physical_store", (1, 0)), ("website", (0, 1))])
def test_a_sale_whose_time_was_changed_is_not_sent_twice(world: World, source: str, books: tuple[int, int]) -> None:
    """Another time makes another sale in a store; on the website the id counts, and it is the same event."""
    world.platform.judge = counted = Counted(world)
    sale = IN_STORE | {"action_source": source}
    world.run(orders(1, **sale))
    world.clock.forward(minutes=2)
    found = world.run(orders(1, **sale, event_at="2026-11-20T11:00:00")).books
    assert (found.held, found.acked, counted.sales) == (*books, 1)


def test_sales_that_cannot_be_repeated_share_no_request_with_others(world: World) -> None:
    """A lost answer must not put a sale without an order into a retry."""
    nameless = {"action_source": "physical_store", "order_id": None}
    changes = [{}, {"action_source": "physical_store"}, nameless, {"action_source": "business_messaging"}]
    rows = [orders(number, **change).tail(1) for number, change in enumerate(changes, start=1)]
    world.run(rows[0].vstack(rows[1]).vstack(rows[2]).vstack(rows[3]))
    assert sorted(world.platform.requests) == [["purchase.1"], ["purchase.2"], ["purchase.3", "purchase.4"]]
