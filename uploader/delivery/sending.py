"""Send one destination's due rows: intent, request, outcome, batch by batch.

A batch's intent is on the disk before its request. What the platform provably did not take is released;
what it may have taken stays an intent, and is sent again only while the platform would recognize it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.clock import microseconds, moment
from uploader.delivery.chunks import Chunk, Lookahead, Texts, ahead, slices
from uploader.delivery.exchange import TRIES, Begun, Exchange
from uploader.delivery.flights import Flights, Started
from uploader.delivery.isolation import FEWEST, Sent, all_refused, is_contradicted, isolate
from uploader.delivery.pauses import Pauses
from uploader.delivery.places import Places
from uploader.delivery.surroundings import Counter, Surroundings
from uploader.delivery.verdicts import changed, in_time, intended, plain_until, record, resend_until
from uploader.destinations.interface import Outcome, Request, Verdict
from uploader.diff import Lane
from uploader.encode import leaf_paths, pack
from uploader.errors import PlatformRefused, QualityGateFailed, TryLater, UploaderError
from uploader.ledger import QUARANTINE, Intent, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from uploader.delivery.targets import Target

_QUARANTINE: Final = timedelta(minutes=15)
_SUSPECTS: Final = 8
"""A batch out of quarantine is that much smaller, each time again, so that the search in it comes to an end."""


class Delivery:
    """One destination's sending. `run` never raises for the platform's trouble: it stands in ``counter``."""

    def __init__(self, target: Target, surroundings: Surroundings) -> None:
        self.target = target
        self.counter = Counter()
        self.around = surroundings
        self.exchange = Exchange(target, surroundings, self.counter)
        self.pauses = Pauses(target, surroundings, self.exchange, self.counter)
        self._body = target.body()
        self._paths = leaf_paths(self._body)
        self._texts = Texts()
        self._numbers = count()
        self._flights = Flights(self)
        self._late: list[pl.DataFrame] = []
        self._chunks = Lookahead(iter(()))
        self._reached = 0
        self._witnesses: list[str] = []
        self._refused: list[Sent] = []
        self._places = Places(target)

    def run(self, parts: Iterable[pl.DataFrame]) -> Counter:
        """Send ``parts``, whole rows with the columns that `uploader.diff.due` adds, until done or told to stop."""
        self._chunks = Lookahead(self._made(parts))
        try:
            self.pauses.check()
            for chunk in self._chunks:
                self._texts.turn_to(chunk)
                self._send(self._batches(chunk))
            while left := self._flights.land():
                self._send(deque(left))
            self._bury_all()
        except UploaderError as problem:
            self._flights.give_up()
            if not isinstance(problem, TryLater | PlatformRefused | QualityGateFailed):
                raise
            self.counter.problem = problem
            if isinstance(problem, PlatformRefused) and not self.counter.dead:
                self.counter.problem = PlatformRefused(f"{problem} Nothing was dead-lettered.")
        finally:
            self._chunks.close()
            self._flights.close()
        self.counter.warnings += self._places.warnings()
        return self.counter

    def _made(self, parts: Iterable[pl.DataFrame]) -> Iterator[Chunk]:
        known = (part.with_columns(plain_until(self.target.rules)) for part in ahead(iter(parts)))
        for part, rows in slices(map(self._places.assign, known)):
            yield Chunk.make(next(self._numbers), part, rows, self._body)

    def record_late(self) -> None:
        """Record what became too old while the run lasted: expired, or held where it is in doubt."""
        in_doubt = pl.col("first_intent_at").is_not_null()
        for batch in self._late:
            self._judge(batch.filter(~in_doubt), State.EXPIRED, "expired")
            self._judge(batch.filter(in_doubt), State.HELD, "expired")
        self._late.clear()

    def _batches(self, chunk: Chunk) -> deque[pl.DataFrame]:
        limits = self.target.limits
        if chunk.rows["lane"][0] == Lane.SUSPECT:
            fewer = limits.events // _SUSPECTS ** int(chunk.rows["quarantines"][0])
            limits = replace(limits, events=max(1, fewer))
        envelope = self.target.destination.envelope_bytes(self.target.account, chunk.rows["place"][0])
        ranges = pack(chunk.encoded.sizes, limits, envelope)
        return deque(chunk.rows.slice(first, last - first) for first, last in ranges)

    def _send(self, batches: deque[pl.DataFrame]) -> None:
        while batches:
            if not self._flights.go(batches):
                self._deliver(batches.popleft())

    def _deliver(self, batch: pl.DataFrame) -> None:
        fresh = batch.filter(~pl.col("event_key").is_in(self._witnesses)) if self._witnesses else batch
        self._reached = batch["row_no"][-1] + 1
        if fresh.height:
            self.counter.batches += 1
            sent = self.send(fresh)
            self._flights.count(is_taken=sent.is_accepted)
            self._search(sent)
        self.around.progress(batch.height)

    def _search(self, sent: Sent) -> None:
        if sent.outcome.verdict in (Verdict.REFUSED, Verdict.TOO_BIG):
            isolate(self, sent, has_accepted=self._has_accepted(sent.batch))

    def _has_accepted(self, batch: pl.DataFrame) -> bool:
        """Tell whether the mapping is right. What was in quarantine shared its request with events that were taken."""
        return self.counter.acked > 0 or batch["lane"][0] == Lane.SUSPECT

    # ------------------------------------------------------------------ one batch

    def prepared(self, batch: pl.DataFrame) -> tuple[Request, Intent] | None:
        """See `Crew.prepared`: new events, all of them in time, while nothing is waiting for a judgement."""
        is_plain = not self._refused and batch["lane"][0] in (Lane.URGENT, Lane.NEW)
        # The text of a batch that was put back may be gone before the next flight is over.
        is_plain = is_plain and batch["text_in"][0] == self._texts.current
        is_plain = is_plain and not (self._witnesses and batch["event_key"].is_in(self._witnesses).any())
        if not is_plain or in_time(batch, self.target.rules, self.around.clock())[0].height < batch.height:
            return None
        return self._request(batch), self._intent(batch)

    def taken(self, batch: pl.DataFrame) -> None:
        """See `Crew.taken`."""
        self.counter.batches += 1
        self.counter.acked += batch.height
        self._reached = batch["row_no"][-1] + 1
        self.around.progress(batch.height)

    def resume(self, started: Started) -> None:
        """See `Crew.resume`."""
        self.counter.batches += 1
        self._reached = started.batch["row_no"][-1] + 1
        self._search(self.send(started.batch, started))
        self.around.progress(started.batch.height)

    def record(self, started: Started) -> None:
        """See `Crew.record`."""
        if started.outcome is not None:
            is_lost = started.outcome.verdict is Verdict.IN_DOUBT
            lost = pl.col("first_intent_at").fill_null(microseconds(started.begun.at))
            batch = started.batch.with_columns(lost if is_lost else [], batch_id=pl.lit(started.batch_id, pl.Int64))
            self._settle(Sent(batch, started.outcome, started.batch_id))
            if started.outcome.verdict is Verdict.THROTTLED:
                self.pauses.remember(started.outcome)

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return self.counter.requests

    def send(self, batch: pl.DataFrame, started: Started | None = None) -> Sent:
        """Send one batch and record what became of it; wait and send it again where the platform asks for that.

        What was provably not taken is released; a batch of which an earlier try may have arrived stays in doubt.
        ``started`` is the batch's first try, if that was made already.
        Raises `TryLater` or `PlatformRefused` when the destination must be left alone.
        """
        for left in reversed(range(TRIES)):
            if started is None:
                batch, late = in_time(batch, self.target.rules, self.around.clock())
                if late.height:
                    self._late.append(late)  # recorded at the end
                if batch.is_empty():
                    return Sent(batch, Outcome(Verdict.NOT_SENT, message="all of it became too old"))
                self.exchange.keep_pace()
                self.pauses.check_go()
                started = self._start(batch)
            sent, started = self._finish(started), None
            if sent.outcome.verdict is not Verdict.THROTTLED:
                break
            self.pauses.wait(sent.outcome, may_wait=left > 0)
            batch = sent.batch
        return sent

    def _start(self, batch: pl.DataFrame) -> Started:
        # Made before the intent: settings that make no request must not leave a doubt.
        request = self._request(batch)
        begun = self.begin([batch])
        batch_id = self.around.ledger.intend(self._intent(batch))
        return Started(batch, request, begun, batch_id)

    def _finish(self, started: Started) -> Sent:
        batch, begun = started.batch.with_columns(batch_id=pl.lit(started.batch_id, pl.Int64)), started.begun
        outcome, may_have_arrived = self.exchange.make(started.request, batch.height, begun, started.outcome)
        if may_have_arrived:
            batch = batch.with_columns(pl.col("first_intent_at").fill_null(microseconds(begun.at)))
        self._settle(Sent(batch, outcome, started.batch_id))
        self.exchange.check_clock()
        if outcome.verdict is Verdict.BLOCKED:
            why = f"{outcome.message or outcome.verdict} (code {outcome.code})"
            raise PlatformRefused(f"{self.target.name}: {why}. Mend it and send again.")
        self.pauses.count(outcome)
        return Sent(batch, outcome, started.batch_id)

    def _settle(self, sent: Sent) -> None:
        ledger, outcome, batch_id = self.around.ledger, sent.outcome, sent.batch_id
        if batch_id is not None and sent.is_accepted:
            # First: an event that was refused must not count as taken, whatever comes between.
            dead = self._bury_some(sent)
            ledger.settle(batch_id, State.ACKED, outcome.code, outcome.trace_id)
            self.counter.acked += sent.batch.height - dead
            self._bury_all()
        elif batch_id is not None and outcome.verdict is not Verdict.IN_DOUBT and not sent.is_in_doubt:
            ledger.settle(batch_id, State.RELEASED, outcome.code, outcome.trace_id)

    def bury(self, refused: Sent) -> None:
        """Take one event for bad, once the platform has accepted another one, or the run is over.

        Raises `PlatformRefused` when several are refused alike and nothing was accepted: they are not to blame.
        """
        self._refused.append(refused)
        codes = {single.outcome.code for single in self._refused}
        if self._has_accepted(refused.batch):
            self._bury_all()
        elif len(self._refused) >= FEWEST and len(codes) == 1 and not is_contradicted(self, codes):
            self._refused.clear()
            raise all_refused(refused.outcome)

    def _bury_all(self) -> None:
        refused, self._refused = self._refused, []
        for single in refused:
            self._bury(single)

    def _bury(self, refused: Sent) -> None:
        """Record that one event was refused by itself: dead, or held where an earlier try may have arrived."""
        outcome = refused.outcome
        if refused.is_in_doubt:
            self._judge(refused.batch, State.HELD, f"refused in doubt: {outcome.code}")
            return
        if refused.batch_id is not None:
            self.around.ledger.settle(refused.batch_id, State.DEAD, outcome.code, outcome.trace_id)
        else:
            self._judge(refused.batch, State.DEAD, outcome.code or str(outcome.verdict))
        self.counter.dead += refused.batch.height

    def _bury_some(self, sent: Sent) -> int:
        """Record the events of a batch that were refused each by itself, while the others were taken."""
        for position, code in sent.outcome.refused.items():
            self._bury(Sent(sent.batch.slice(position, 1), Outcome(Verdict.REFUSED, code)))
        return len(sent.outcome.refused)

    def witness(self) -> pl.DataFrame | None:
        """Return the youngest new event that was read and not tried yet, to be sent by itself."""
        rows = self._chunks.rows()
        is_new = pl.col("lane").is_in([Lane.URGENT, Lane.NEW]) & (pl.col("row_no") >= self._reached)
        chosen = rows.filter(is_new & ~pl.col("event_key").is_in(self._witnesses)).sort("event_at").tail(1)
        if chosen.is_empty():
            return None
        self._witnesses.append(chosen["event_key"][0])
        single = Chunk.make(next(self._numbers), rows, chosen, self._body)
        self._texts.keep(single)
        return single.rows

    def quarantine(self, batch: pl.DataFrame) -> None:
        """Leave rows of a refused batch for a later run: there are no requests left to find out which are bad."""
        until = microseconds(self.around.clock() + _QUARANTINE)
        # What is in doubt stays so.
        released = batch.filter(pl.col("first_intent_at").is_null())
        self._judge(released.with_columns(not_before=pl.lit(until)), State.RELEASED, QUARANTINE)

    def _judge(self, rows: pl.DataFrame, state: State, reason: str) -> None:
        record(self.around.ledger, self.target.destination_id, rows, state, reason)

    def begin(self, batches: Sequence[pl.DataFrame]) -> Begun:
        """See `Crew.begin`."""
        now = microseconds(self.around.clock())
        return self.exchange.begin(moment(min(resend_until(batch, now) for batch in batches)))

    def _request(self, batch: pl.DataFrame) -> Request:
        return self.target.destination.request(self.target.account, self._texts.joined(batch), batch["place"][0])

    def _intent(self, batch: pl.DataFrame) -> Intent:
        events = intended(batch)
        if batch["lane"][0] == Lane.RESEND:
            self.counter.changed += changed(self.around.ledger, self.target.destination_id, events)
        return Intent(self.target.destination_id, events, self._paths, batch["as_of"][0])
