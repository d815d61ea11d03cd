"""Send one destination's due rows: intent, request, outcome, batch by batch.

A batch's intent is on the disk before its request. What the platform provably did not take is released;
what it may have taken stays an intent, and is sent again only while the platform would recognize it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl
import tenacity

from uploader.clock import microseconds, naive
from uploader.delivery.isolation import Sent, isolate
from uploader.destinations.interface import Outcome, Request, Response, Verdict
from uploader.encode import encode, leaf_paths, pack
from uploader.errors import PlatformRefused, TryLater
from uploader.ledger import Intent, State
from uploader.transport import Answer, InDoubt, NotSent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from uploader.clock import Clock
    from uploader.delivery.targets import Target
    from uploader.ledger import Ledger

_TRIES: Final = 6
_PASSING: Final = (Verdict.IN_DOUBT, Verdict.NOT_SENT)
"""What another try may mend."""
_OLDEST_INTENT: Final = timedelta(minutes=10)
"""A process that was stopped for longer does not post what it once meant to."""
_CHUNK_ROWS: Final = 20_000
"""Rows encoded at a time."""
_LONGEST_PAUSE: Final = timedelta(hours=24)


class Post(Protocol):
    """Send one HTTP POST, as `uploader.transport.Transport.post` does."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST once."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a delivery needs from outside. ``stop`` is asked before each batch; ``progress`` is told of rows."""

    ledger: Ledger
    post: Post
    clock: Clock
    sleep: Callable[[float], None]
    stop: Callable[[], bool] = lambda: False
    progress: Callable[[int], None] = lambda _rows: None
    deadline: datetime | None = None


@dataclass(slots=True)
class Counter:
    """What the loop believes it did; the books compare it with the sent log."""

    acked: int = 0
    dead: int = 0
    requests: int = 0
    problem: Exception | None = field(default=None)


class Delivery:
    """One destination's sending. `run` never raises for the platform's trouble: it stands in ``counter``."""

    def __init__(self, target: Target, surroundings: Surroundings) -> None:
        self.target = target
        self.counter = Counter()
        self._around = surroundings
        self._body = target.destination.body()
        self._paths = leaf_paths(self._body)

    def run(self, rows: pl.DataFrame) -> Counter:
        """Send ``rows`` (whole rows with ``first_intent_at``), in their order, until done or told to stop."""
        in_doubt = pl.col("first_intent_at").is_not_null()
        try:
            self._check_pause()
            # Apart, so that a new event never shares the doubt of an old one.
            for group in (rows.filter(in_doubt), rows.filter(~in_doubt)):
                for start in range(0, group.height, _CHUNK_ROWS):
                    self._run_chunk(group.slice(start, _CHUNK_ROWS))
        except (TryLater, PlatformRefused) as problem:
            self.counter.problem = problem
        return self.counter

    def _run_chunk(self, chunk: pl.DataFrame) -> None:
        encoded = pl.concat([chunk, encode(chunk, self._body)], how="horizontal")
        for first, last in self._cuts(encoded["payload"]):
            self._deliver(encoded.slice(first, last - first))

    def _cuts(self, payloads: pl.Series) -> list[tuple[int, int]]:
        destination, account = self.target.destination, self.target.account
        limits = replace(destination.limits, events=min(destination.limits.events, self.target.settings.batch_size))
        return pack(payloads, limits, destination.envelope_bytes(account))

    def _deliver(self, batch: pl.DataFrame) -> None:
        current = self._without_late(batch)
        if current.height:
            sent = self.send(current)
            if not sent.is_accepted:
                isolate(self, sent)
        self._around.progress(batch.height)

    def _without_late(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Record and drop what the destination would not accept any more when the request arrives."""
        late = pl.col("expires_at") <= naive(self._around.clock()) + self.target.rules.expiry_margin
        for state, in_doubt in ((State.EXPIRED, False), (State.HELD, True)):
            was_in_doubt = pl.col("first_intent_at").is_not_null()
            lost = batch.filter(late & (was_in_doubt if in_doubt else ~was_in_doubt))
            self.judge(lost, state, "expired")
        return batch.filter(~late)

    def judge(self, rows: pl.DataFrame, state: State, reason: str) -> None:
        """Record a verdict on rows."""
        keys = rows.select(
            "event_name",
            "event_id",
            pl.col("event_at").dt.epoch("us").alias("event_at"),
            pl.lit(reason).alias("reason"),
            pl.col("first_intent_at").is_not_null().alias("was_in_doubt"),
        )
        self._around.ledger.judge(self.target.destination_id, keys, state)

    # ------------------------------------------------------------------ one batch

    def send(self, batch: pl.DataFrame) -> Sent:
        """Send one batch and record what became of it.

        What was provably not taken is released; a batch of which an earlier try may have arrived stays in doubt.
        Raises `TryLater` or `PlatformRefused` when the destination must be left alone.
        """
        self._check_go()
        # Made before the intent: settings that make no request must not leave a doubt.
        request = self.target.destination.request(self.target.account, batch["payload"].to_list())
        begun = self._around.clock()
        batch_id = self._intend(batch)
        outcome, may_have_arrived = self._exchange(request, batch.height, begun)
        if may_have_arrived:
            batch = batch.with_columns(pl.col("first_intent_at").fill_null(microseconds(begun)))
        ledger = self._around.ledger
        if outcome.verdict is Verdict.ACCEPTED:
            ledger.settle(batch_id, State.ACKED, outcome.code, outcome.trace_id)
            self.counter.acked += batch.height
        elif outcome.verdict is not Verdict.IN_DOUBT and not batch["first_intent_at"].is_not_null().any():
            ledger.settle(batch_id, State.RELEASED, outcome.code, outcome.trace_id)
        if outcome.verdict not in (Verdict.ACCEPTED, Verdict.REFUSED, Verdict.TOO_BIG):
            self._leave_alone(outcome)
        return Sent(batch, outcome, batch_id)

    def bury(self, refused: Sent) -> None:
        """Record that one event was refused by itself: dead, or held where an earlier try may have arrived."""
        outcome, batch_id = refused.outcome, refused.batch_id
        if refused.batch["first_intent_at"].is_not_null().any():
            self.judge(refused.batch, State.HELD, f"refused in doubt: {outcome.code}")
        elif batch_id is not None:
            self._around.ledger.settle(batch_id, State.DEAD, outcome.code, outcome.trace_id)
            self.counter.dead += 1

    def _intend(self, batch: pl.DataFrame) -> int:
        hashes = [hashlib.sha256(text.encode()).digest()[:16] for text in batch["payload"]]
        events = batch.select(
            "event_name",
            "event_id",
            pl.col("event_at").dt.epoch("us").alias("event_at"),
            "first_intent_at",
            pl.col("consent_decided_at").dt.epoch("us").alias("consent_at"),
            pl.Series("payload_hash", hashes, pl.Binary),
            "fields",
        )
        as_of = batch["as_of"][0]
        return self._around.ledger.intend(Intent(self.target.destination_id, events, self._paths, as_of))

    def _exchange(self, request: Request, sent: int, begun: datetime) -> tuple[Outcome, bool]:
        """Make one request, again after a passing fault; say also whether any try may have arrived."""
        headers = dict(request.headers) | {k: v.reveal() for k, v in request.secret_headers.items()}
        outcomes: list[Outcome] = []

        def may_retry() -> bool:
            too_old = self._around.clock() - begun > _OLDEST_INTENT
            return not (too_old or self._around.stop() or self._is_late())

        def once() -> Outcome:
            # Asked again here: the pause before this try may have lasted longer than it should.
            if outcomes and not may_retry():
                return outcomes[-1]
            self.counter.requests += 1
            outcomes.append(self._post(request, headers, sent))
            return outcomes[-1]

        retrying = tenacity.Retrying(
            sleep=self._around.sleep,
            stop=lambda state: state.attempt_number >= _TRIES or not may_retry(),
            # Full jitter: many clients after one outage must not come back at the same moment.
            wait=tenacity.wait_random_exponential(multiplier=1, max=60),
            retry=tenacity.retry_if_result(lambda found: found.verdict in _PASSING),
            retry_error_callback=lambda _state: outcomes[-1],
        )
        outcome = retrying(once)
        return outcome, any(found.verdict is Verdict.IN_DOUBT for found in outcomes)

    def _post(self, request: Request, headers: Mapping[str, str], sent: int) -> Outcome:
        try:
            answer = self._around.post(request.url, request.body, headers)
        except NotSent as error:
            return Outcome(Verdict.NOT_SENT, message=f"{error} ({self.target.account.base_url})")
        except InDoubt as error:
            return Outcome(Verdict.IN_DOUBT, code="no_answer", message=str(error))
        response = Response(answer.status, answer.body, answer.headers)
        return self.target.destination.read_response(response, sent)

    # ------------------------------------------------------------------ may it go on?

    def _check_go(self) -> None:
        if self._around.stop():
            raise TryLater("The run was interrupted; what was not tried is sent by the next one.")
        if self._is_late():
            raise TryLater("The deadline came; what was not tried is sent by the next run.")

    def _is_late(self) -> bool:
        needed = timedelta(seconds=self.target.settings.total_timeout_s + 5)
        return bool(self._around.deadline and self._around.clock() + needed > self._around.deadline)

    def _check_pause(self) -> None:
        until = self._around.ledger.paused_until(self.target.destination_id)
        if until is not None and until > self._around.clock():
            raise TryLater(f"{self.target.name} asked to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC.")

    def _leave_alone(self, outcome: Outcome) -> None:
        """Raise what a run that cannot go on with this destination must say."""
        about = f"{self.target.name}: {outcome.message or outcome.code or outcome.verdict}"
        if outcome.verdict is Verdict.BLOCKED:
            raise PlatformRefused(f"{about} (code {outcome.code}). Nothing was dead-lettered; mend it and send again.")
        if outcome.verdict is Verdict.THROTTLED and outcome.wait_s:
            pause = min(timedelta(seconds=outcome.wait_s), _LONGEST_PAUSE)
            until = self._around.clock() + pause
            self._around.ledger.pause(self.target.destination_id, until)
            raise TryLater(f"{about}. Sending goes on after {until:%Y-%m-%d %H:%M:%S} UTC.")
        raise TryLater(f"{about}. What was not sent, or is in doubt, is for the next run.")
