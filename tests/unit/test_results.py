"""A platform that only receives at first: what became of its requests is asked for later, and enters the sent log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.delivering import World, orders, target
from tests.support.receiver_toy import Toy
from uploader.delivery.results import ask, has_questions
from uploader.delivery.surroundings import Unsigned
from uploader.destinations.google import DESTINATION as GOOGLE
from uploader.destinations.interface import Account, Outcome, Request, Response, Result, Results, Verdict
from uploader.transport import Answer, NotSent


class Known(Results):
    """Knows after half an hour."""

    after = timedelta(minutes=30)

    def request(self, account: Account, trace_id: str) -> Request:
        """See `Results.request`."""
        return Request(f"http://127.0.0.1:9/status/{trace_id}", b"")

    def read(self, response: Response) -> Result | None:
        """See `Results.read`."""
        return Result(**json.loads(response.body)) if response.status == 200 else None


class Receiving(Toy):
    """Gives each request an id."""

    results = Known()

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`."""
        return Outcome(Verdict.ACCEPTED, trace_id="r1")


class Later:
    """Says what became of a request."""

    def __init__(self, *told: Mapping[str, Any] | None) -> None:
        self.told = list(told)
        self.asked: list[str] = []

    def __call__(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Answer one GET."""
        self.asked.append(url)
        found = self.told.pop(0)
        if found is None:
            raise NotSent("down")
        return Answer(200, json.dumps(found).encode(), {})


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop whose three orders were received by such a platform."""
    made = World(tmp_path, destination=Receiving())
    assert made.run(orders(3, destination="toy")).books.acked == 3
    return made


def _ask(world: World, later: Later) -> list[str]:
    receiving = replace(target(), destination=world.destination)
    with world.ledger() as ledger:
        assert has_questions(receiving, ledger, world.clock) or not later.told
        return list(ask(receiving, ledger, later, Unsigned(), world.clock))


def _codes(world: World) -> list[str | None]:
    with world.ledger() as ledger:
        return [row[0] for row in ledger.store.rows("select code from batch", {})]


def test_nothing_is_asked_too_early(world: World) -> None:
    """The platform would not know yet."""
    world.clock.forward(minutes=29)
    assert _ask(world, Later()) == []


def test_a_result_enters_the_sent_log_once(world: World) -> None:
    """Its events stay acked, and nobody asks again."""
    world.clock.forward(minutes=31)
    later = Later({"is_final": True, "status": "SUCCESS"})
    assert (_ask(world, later), later.asked) == ([], ["http://127.0.0.1:9/status/r1"])
    assert _codes(world) == ["SUCCESS"]
    assert _ask(world, Later()) == []
    assert world.run(orders(3, destination="toy")).books.already == 3


def test_events_that_were_not_taken_after_all_are_told(world: World) -> None:
    """In counts, as the platform does not say which."""
    world.clock.forward(hours=1)
    told = _ask(world, Later({"is_final": True, "status": "PARTIAL_SUCCESS", "refused": {"INVALID_GCLID": 2}}))
    assert told == [
        (
            "toy: of 3 events that it had received in earlier runs, 2 were not taken after all: INVALID_GCLID 2. "
            "Which ones, it does not say: look at its own diagnostics."
        )
    ]
    assert _codes(world) == ["PARTIAL_SUCCESS INVALID_GCLID=2"]


def test_events_that_were_not_taken_for_no_reason_are_told(world: World) -> None:
    """Nobody knows how many."""
    world.clock.forward(hours=1)
    (told,) = _ask(world, Later({"is_final": True, "status": "FAILED", "is_whole": False}))
    assert "toy: of 3 events that it had received in earlier runs, all or some were not taken" in told
    assert _codes(world) == ["FAILED"]


@pytest.mark.parametrize("told", [None, {"is_final": False, "status": "PROCESSING"}])
def test_what_is_not_known_yet_is_asked_again(world: World, told: Mapping[str, Any] | None) -> None:
    """An outage, or a platform that is still at it, changes nothing."""
    world.clock.forward(hours=1)
    assert (_ask(world, Later(told)), _codes(world)) == ([], [None])
    assert _ask(world, Later({"is_final": True, "status": "SUCCESS"})) == []
    assert _codes(world) == ["SUCCESS"]


@pytest.mark.parametrize(
    ("parts", "result"),
    [
        ([{"requestStatus": "SUCCESS"}], Result(is_final=True, status="SUCCESS")),
        ([{"requestStatus": "PROCESSING"}], Result(is_final=False, status="PROCESSING")),
        (
            [
                {
                    "requestStatus": "PARTIAL_SUCCESS",
                    "errorInfo": {
                        "errorCounts": [
                            {"reason": "PROCESSING_ERROR_REASON_INVALID_GCLID", "recordCount": "10"},
                            {"reason": "PROCESSING_ERROR_REASON_EVENT_TOO_OLD", "recordCount": 1},
                            {"reason": "an odd one", "recordCount": 5},
                        ]
                    },
                }
            ],
            Result(
                is_final=True,
                status="PARTIAL_SUCCESS",
                refused={"INVALID_GCLID": 10, "EVENT_TOO_OLD": 1},
                is_whole=False,
            ),
        ),
        ([{"requestStatus": "FAILED"}], Result(is_final=True, status="FAILED", is_whole=False)),
        ([{"requestStatus": 7}], None),
        ([], None),
        ("text", None),
    ],
)
def test_diagnostics_of_a_request_are_read(parts: Any, result: Result | None) -> None:
    """By status and counts; what is no such answer says nothing."""
    body = json.dumps({"requestStatusPerDestination": parts}).encode()
    assert GOOGLE.results.read(Response(200, body)) == result
    assert GOOGLE.results.read(Response(404, body)) is None
