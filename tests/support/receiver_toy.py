"""A second platform for tests: two fields, its own limits, and answers that say all in their status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import polars as pl

from tests.support.delivering import target
from uploader.answers import retry_after_s
from uploader.delivery.targets import Target
from uploader.destinations.interface import (
    Account,
    Body,
    Destination,
    Limits,
    Outcome,
    Request,
    Response,
    Verdict,
    Windows,
)

STATUSES = {200: Verdict.ACCEPTED, 400: Verdict.REFUSED, 401: Verdict.BLOCKED, 429: Verdict.THROTTLED}


class Toy(Destination):
    """Takes event ids and times."""

    name: ClassVar[str] = "toy"
    base_url: ClassVar[str] = "https://toy.example"
    hosts: ClassVar[tuple[str, ...]] = ("toy.example",)
    api_version: ClassVar[str] = "1"
    token_env: ClassVar[str] = "TOY_TOKEN"
    windows: ClassVar[Windows] = Windows(dedup=timedelta(hours=48))
    limits: ClassVar[Limits] = Limits(events=500, bytes=1_000_000)
    event_names: ClassVar[Mapping[str, str]] = {"Purchase": "buy"}

    def body(self, account: Account) -> Body:
        """See `Destination.body`."""
        return {"event_id": pl.col("event_id"), "event_time": pl.col("event_at").dt.epoch("s")}

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:
        """See `Destination.request`."""
        return Request(f"{account.base_url}/{account.dataset_id}", b"".join((b'{"data":[', events, b"]}")))

    def read_response(self, response: Response, sent: int) -> Outcome:
        """See `Destination.read_response`."""
        # The receiver answers in another platform's form: of that, the code alone is of use.
        code = re.search(rb'"code":\s*(\d+)', response.body)
        verdict = STATUSES.get(response.status, Verdict.IN_DOUBT)
        if code and code[1] == b"4":
            verdict = Verdict.THROTTLED
        return Outcome(verdict, code[1].decode() if code else None, wait_s=retry_after_s(response.headers))


def toy_target() -> Target:
    """Return the toy, ready to send, with a loopback address that nothing listens at."""
    usual = target(batch_size=100)
    return replace(usual, destination=Toy())
