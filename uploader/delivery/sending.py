"""Send one destination's due rows: intent, request, outcome, batch by batch.

A batch's intent is on the disk before its request. What the platform provably did not take is released;
what it may have taken stays an intent, and is sent again only while the platform would recognize it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.clock import microseconds, moment, naive
from uploader.delivery.exchange import LONGEST_WAIT_S, PASSING, TRIES, Exchange
from uploader.delivery.isolation import FEWEST, Sent, all_refused, is_contradicted, isolate
from uploader.delivery.surroundings import Counter, Post, Surroundings
from uploader.destinations.interface import Outcome, Verdict
from uploader.diff import KEY, Lane, is_past_pixel_window
from uploader.encode import encode, leaf_paths, pack
from uploader.errors import PlatformRefused, TryLater
from uploader.ledger import QUARANTINE, Breaker, Intent, State, reading

if TYPE_CHECKING:
    from uploader.delivery.targets import Target

__all__ = ["Counter", "Delivery", "Post", "Surroundings"]

_CHUNK_ROWS: Final = 20_000  # encoded at a time
_LONGEST_PAUSE: Final = timedelta(hours=24)
_UNTOLD_PAUSE_S: Final = 60.0
"""How long to leave a platform alone that asks for it without saying how long."""
_QUARANTINE: Final = timedelta(minutes=15)
_SUSPECTS: Final = 8
"""A batch out of quarantine is that much smaller, each time again, so that the search in it comes to an end."""


class Delivery:
    """One destination's sending. `run` never raises for the platform's trouble: it stands in ``counter``."""

    def __init__(self, target: Target, surroundings: Surroundings) -> None:
        self.target = target
        self.counter = Counter()
        self._around = surroundings
        self._exchange = Exchange(target, surroundings, self.counter)
        self._breaker = surroundings.ledger.breaker(target.destination_id)
        self._body = target.destination.body()
        self._paths = leaf_paths(self._body)
        self._late: list[pl.DataFrame] = []
        self._rows = pl.DataFrame()
        self._reached = 0
        self._witnesses: list[str] = []
        self._refused: list[Sent] = []

    def run(self, rows: pl.DataFrame) -> Counter:
        """Send ``rows`` (whole rows with the columns that `uploader.diff.due` adds), until done or told to stop."""
        # Apart: rows of two lanes, and those that the platform would or would not recognize again.
        apart = ("lane", "quarantines", "resend_us")
        self._rows = pl.concat(rows.partition_by(*apart, maintain_order=True)).with_row_index("row_no")
        try:
            self._check_pauses()
            for group in self._rows.partition_by(*apart, maintain_order=True):
                for start in range(0, group.height, _CHUNK_ROWS):
                    self._run_chunk(group.slice(start, _CHUNK_ROWS))
            self._bury_all()
        except PlatformRefused as problem:
            nobody = " Nothing was dead-lettered." if not self.counter.dead else ""
            self.counter.problem = PlatformRefused(f"{problem}{nobody}")
        except TryLater as problem:
            self.counter.problem = problem
        return self.counter

    def record_late(self) -> None:
        """Record what became too old while the run lasted: expired, or held where it is in doubt."""
        for batch in self._late:
            in_doubt = pl.col("first_intent_at").is_not_null()
            self._judge(batch.filter(~in_doubt), State.EXPIRED, "expired")
            self._judge(batch.filter(in_doubt), State.HELD, "expired")
        self._late.clear()

    def _run_chunk(self, chunk: pl.DataFrame) -> None:
        encoded = pl.concat([chunk, encode(chunk, self._body)], how="horizontal")
        events = min(self.target.destination.limits.events, self.target.settings.batch_size)
        if chunk["lane"][0] == Lane.SUSPECT:
            events = max(1, events // _SUSPECTS ** int(chunk["quarantines"][0]))
        limits = replace(self.target.destination.limits, events=events)
        envelope = self.target.destination.envelope_bytes(self.target.account)
        for first, last in pack(encoded["payload"], limits, envelope):
            self._deliver(encoded.slice(first, last - first))

    def _deliver(self, batch: pl.DataFrame) -> None:
        fresh = batch.filter(~pl.col("event_key").is_in(self._witnesses))
        self._reached = batch["row_no"][-1] + 1
        if fresh.height:
            self.counter.batches += 1
            sent = self.send(fresh)
            if sent.outcome.verdict in (Verdict.REFUSED, Verdict.TOO_BIG):
                isolate(self, sent, has_accepted=self._has_accepted(fresh))
        self._around.progress(batch.height)

    def _has_accepted(self, batch: pl.DataFrame) -> bool:
        """Tell whether the mapping is right. What was in quarantine shared its request with events that were taken."""
        return self.counter.acked > 0 or batch["lane"][0] == Lane.SUSPECT

    def _in_time(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that may be sent now. What is too old is recorded at the end, the rest by the next run."""
        now, rules = self._around.clock(), self.target.rules
        overdue = (pl.col("first_intent_at") + pl.col("resend_us") < microseconds(now)).fill_null(value=False)
        late = pl.col("expires_at") <= naive(now) + rules.expiry_margin
        known = batch.filter(~overdue & ~is_past_pixel_window(rules, naive(now)))
        if not known.filter(late).is_empty():
            self._late.append(known.filter(late))
        return known.filter(~late)

    # ------------------------------------------------------------------ one batch

    @property
    def requests(self) -> int:
        """How many requests were made so far."""
        return self.counter.requests

    def send(self, batch: pl.DataFrame) -> Sent:
        """Send one batch and record what became of it; wait and send it again where the platform asks for that.

        What was provably not taken is released; a batch of which an earlier try may have arrived stays in doubt.
        Raises `TryLater` or `PlatformRefused` when the destination must be left alone.
        """
        for left in reversed(range(TRIES)):
            batch = self._in_time(batch)
            if batch.is_empty():
                return Sent(batch, Outcome(Verdict.NOT_SENT, message="all of it became too old"))
            sent = self._send_once(batch)
            if sent.outcome.verdict is not Verdict.THROTTLED:
                break
            self._wait(sent.outcome, may_wait=left > 0)
            batch = sent.batch
        return sent

    def _send_once(self, batch: pl.DataFrame) -> Sent:
        self._check_go()
        # Made before the intent: settings that make no request must not leave a doubt.
        request = self.target.destination.request(self.target.account, batch["payload"].to_list())
        begun = self._exchange.begin(self._resend_until(batch))
        batch_id = self._intend(batch)
        outcome, may_have_arrived = self._exchange.make(request, batch.height, begun)
        if may_have_arrived:
            batch = batch.with_columns(pl.col("first_intent_at").fill_null(microseconds(begun.at)))
        self._settle(Sent(batch, outcome, batch_id))
        self._exchange.check_clock()
        if outcome.verdict is Verdict.BLOCKED:
            why = f"{outcome.message or outcome.verdict} (code {outcome.code})"
            raise PlatformRefused(f"{self.target.name}: {why}. Mend it and send again.")
        self._count_failure(outcome)
        return Sent(batch, outcome, batch_id)

    def _settle(self, sent: Sent) -> None:
        ledger, outcome, batch_id = self._around.ledger, sent.outcome, sent.batch_id
        if batch_id is not None and outcome.verdict is Verdict.ACCEPTED:
            ledger.settle(batch_id, State.ACKED, outcome.code, outcome.trace_id)
            self.counter.acked += sent.batch.height
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
            self._around.ledger.settle(refused.batch_id, State.DEAD, outcome.code, outcome.trace_id)
        else:
            self._judge(refused.batch, State.DEAD, outcome.code or str(outcome.verdict))
        self.counter.dead += refused.batch.height

    def witness(self) -> pl.DataFrame | None:
        """Return the youngest new event that was not tried yet, to be sent by itself."""
        is_new = pl.col("lane").is_in([Lane.URGENT, Lane.NEW]) & (pl.col("row_no") >= self._reached)
        chosen = self._rows.filter(is_new & ~pl.col("event_key").is_in(self._witnesses)).sort("event_at").tail(1)
        if chosen.is_empty():
            return None
        self._witnesses.append(chosen["event_key"][0])
        return pl.concat([chosen, encode(chosen, self._body)], how="horizontal")

    def quarantine(self, batch: pl.DataFrame) -> None:
        """Leave rows of a refused batch for a later run: there are no requests left to find out which are bad."""
        until = microseconds(self._around.clock() + _QUARANTINE)
        # What is in doubt stays so.
        released = batch.filter(pl.col("first_intent_at").is_null())
        self._judge(released.with_columns(not_before=pl.lit(until)), State.RELEASED, QUARANTINE)

    def _judge(self, rows: pl.DataFrame, state: State, reason: str) -> None:
        keys = rows.select(
            *KEY,
            pl.col("event_at").dt.epoch("us").alias("event_at"),
            pl.lit(reason).alias("reason"),
            pl.col("first_intent_at").is_not_null().alias("was_in_doubt"),
            *(["not_before"] if "not_before" in rows.columns else []),
        )
        self._around.ledger.judge(self.target.destination_id, keys, state)

    def _resend_until(self, batch: pl.DataFrame) -> datetime:
        """Return until when every event of a batch may be sent a second time."""
        first = pl.col("first_intent_at").fill_null(microseconds(self._around.clock()))
        until: int = batch.select((first + pl.col("resend_us")).min()).item()
        return moment(until)

    def _intend(self, batch: pl.DataFrame) -> int:
        hashes = [hashlib.sha256(text.encode()).digest()[:16] for text in batch["payload"]]
        events = batch.select(
            *KEY,
            pl.col("event_at").dt.epoch("us").alias("event_at"),
            "first_intent_at",
            pl.col("consent_decided_at").dt.epoch("us").alias("consent_at"),
            pl.Series("payload_hash", hashes, pl.Binary),
            "fields",
        )
        if batch["lane"][0] == Lane.RESEND:
            self._count_changed(events)
        as_of = batch["as_of"][0]
        return self._around.ledger.intend(Intent(self.target.destination_id, events, self._paths, as_of))

    def _count_changed(self, events: pl.DataFrame) -> None:
        """Count the events that are not what they were at their first try: the platform keeps one of the two."""
        ids = events["event_id"].to_list()
        before = reading.payload_hashes(self._around.ledger, self.target.destination_id, ids)
        both = events.join(before, on=KEY, suffix="_before")
        self.counter.changed += both.filter(pl.col("payload_hash") != pl.col("payload_hash_before")).height

    # ------------------------------------------------------------------ may it go on?

    def _check_go(self) -> None:
        if self._around.stop():
            raise TryLater("The run was interrupted; what was not tried is sent by the next one.")
        if self._exchange.is_late():
            raise TryLater("The deadline came; what was not tried is sent by the next run.")

    def _check_pauses(self) -> None:
        now, name = self._around.clock(), self.target.name
        until = self._around.ledger.paused_until(self.target.destination_id)
        if until is not None and until > now:
            raise TryLater(f"{name} asked to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC.")
        if self._breaker.is_open(now):
            raise TryLater(
                f"{name} failed {self._breaker.failures} times in a row; the next try is not before "
                f"{self._breaker.open_until:%Y-%m-%d %H:%M:%S} UTC."
            )

    def _wait(self, outcome: Outcome, *, may_wait: bool) -> None:
        """Wait as long as the platform asks for, or raise `TryLater` and let the next run know."""
        seconds = _UNTOLD_PAUSE_S if outcome.wait_s is None else outcome.wait_s
        until = self._around.clock() + min(timedelta(seconds=seconds), _LONGEST_PAUSE)
        self._around.ledger.pause(self.target.destination_id, until)
        rest = timedelta(seconds=self.target.settings.total_timeout_s + 5)
        fits = self._around.deadline is None or until + rest <= self._around.deadline
        if not may_wait or seconds > LONGEST_WAIT_S or not fits:
            about = f"{self.target.name}: {outcome.message or outcome.code or outcome.verdict}"
            raise TryLater(f"{about}. Sending goes on after {until:%Y-%m-%d %H:%M:%S} UTC.")
        self._around.sleep(seconds)

    def _count_failure(self, outcome: Outcome) -> None:
        """Count batches that met a passing fault, over runs; raise when the breaker opens. An answer resets it."""
        ledger, destination_id = self._around.ledger, self.target.destination_id
        if outcome.verdict not in PASSING:
            if self._breaker.failures:
                self._breaker = Breaker()
                ledger.record_breaker(destination_id, self._breaker)
            return
        now = self._around.clock()
        self._breaker = self._breaker.failed(now)
        ledger.record_breaker(destination_id, self._breaker)
        about = f"{self.target.name}: {outcome.message or outcome.code or outcome.verdict}"
        later = TryLater(f"{about}. What was not sent, or is in doubt, is for the next run.")
        if outcome.wait_s and outcome.wait_s > LONGEST_WAIT_S:
            ledger.pause(destination_id, now + min(timedelta(seconds=outcome.wait_s), _LONGEST_PAUSE))
            raise later
        if self._breaker.is_open(now):
            raise later
        self.counter.problem = later
