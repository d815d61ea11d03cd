"""A platform with several places, and one that judges each event by itself."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.support.delivering import Platform, World
from tests.support.delivering import orders as orders_of_meta
from tests.support.receiver_toy import Toy
from uploader.delivery.run import exit_code
from uploader.destinations.interface import Account, Outcome, Request, Response, Verdict
from uploader.transport import Answer, InDoubt


class Picky(Toy):
    """Takes website and app apart, has no place for the phone, and says of each event whether it was taken."""

    def place(self, account: Account) -> pl.Expr:
        """See `Destination.place`."""
        source = pl.col("action_source")
        return pl.when(source.is_in(["website", "app"])).then(source)

    def missing(self, event_name: str, action_source: str) -> str:
        """See `Destination.missing`."""
        return f"destinations.toy.options.{action_source}"

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:
        """See `Destination.request`."""
        return Request("http://127.0.0.1:9", b'{"place":"%b","data":[%b]}' % (place.encode(), bytes(events)))

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`."""
        bad = {int(position): code for position, code in json.loads(response.body).items()}
        return Outcome(Verdict.PARTIAL, refused=bad) if bad else Outcome(Verdict.ACCEPTED)


class Judging(Platform):
    """Refuses some events, each by itself."""

    def __init__(self, *bad: str) -> None:
        super().__init__()
        self.bad = bad
        self.places: list[str] = []

    def __call__(self, url: str, body: bytes, headers: object) -> Answer:
        """Answer one POST."""
        content = json.loads(body)
        ids = [event["event_id"] for event in content["data"]]
        self.requests.append(ids)
        self.places.append(content["place"])
        self.taken += [name for name in ids if name not in self.bad]
        found = {str(place): "odd" for place, name in enumerate(ids) if name in self.bad}
        return Answer(200, json.dumps(found).encode(), {})


def orders(count: int, **overrides: object) -> pl.DataFrame:
    """Return that many sendable rows for the picky platform."""
    return orders_of_meta(count, destination="toy", **overrides)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop that never sent anything, and its picky platform."""
    return World(tmp_path, Judging("purchase.3", "purchase.7"), destination=Picky())


def test_what_is_refused_by_itself_is_dead_and_the_rest_is_taken(world: World) -> None:
    """One request is enough, and its other events are not sent again."""
    report = world.run(orders(10))
    assert (report.books.acked, report.books.dead, report.books.requests) == (8, 2, 1)
    assert exit_code([report]) == 2
    again = world.run(orders(10))
    assert (again.books.already, again.books.requests) == (10, 0)


def test_a_refused_event_that_was_in_doubt_is_held(world: World) -> None:
    """Its first try may have been taken: nobody can say, so a person decides."""

    def lost(url: str, body: bytes, headers: object) -> Answer:
        raise InDoubt("lost")

    answering, world.platform = world.platform, lost
    world.run(orders(3))
    world.platform = answering
    world.clock.forward(minutes=10)
    report = world.run(orders(3))
    assert (report.books.acked, report.books.held, report.books.dead) == (2, 1, 0)


def test_events_of_two_places_never_share_a_request(world: World) -> None:
    """Each request is for one place."""
    # The app's events are recognized again for as long as the website's: nothing else keeps them apart.
    app = orders(4).with_columns(
        action_source=pl.lit("app"),
        event_key=pl.format("app.{}", "event_key"),
        event_id=pl.format("app.{}", "event_id"),
    )
    report = world.run(pl.concat([orders(4), app]))
    assert report.books.acked == 7
    places = dict(zip(world.platform.places, world.platform.requests, strict=True))
    assert {place: len(ids) for place, ids in places.items()} == {"website": 4, "app": 4}
    assert all(name.startswith("app.") for name in places["app"])


def test_an_event_without_a_place_waits_and_the_setting_is_named(world: World) -> None:
    """It is neither lost nor sent elsewhere, and the others go."""
    call = orders(2, action_source="phone_call").with_columns(
        event_key=pl.format("call.{}", "event_key"), event_id=pl.format("call.{}", "event_id")
    )
    report = world.run(pl.concat([orders(2), call]))
    assert (report.books.acked, report.books.deferred, exit_code([report])) == (2, 2, 0)
    assert "2 events (Purchase)" in report.warnings[0]
    assert "destinations.toy.options.phone_call" in report.warnings[0]
