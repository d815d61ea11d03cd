"""Make one request of one destination, again after a passing fault, and watch the clocks meanwhile."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import tenacity

from uploader.answers import InDoubt, NotSent
from uploader.destinations.interface import Outcome, Request, Response, Verdict
from uploader.errors import PlatformRefused, TryLater

if TYPE_CHECKING:
    from uploader.answers import Answer
    from uploader.delivery.surroundings import Counter, Post, Surroundings
    from uploader.delivery.targets import Target

TRIES: Final = 6
PASSING: Final = (Verdict.IN_DOUBT, Verdict.NOT_SENT)
"""What another try may mend."""
LONGEST_WAIT_S: Final = 60.0
"""A run waits for so long; what takes longer is left to the next one."""
# Full jitter: many clients after one outage must not come back at the same moment.
BACKOFF: Final = tenacity.wait_random_exponential(multiplier=1, max=LONGEST_WAIT_S)
_RETRIES: Final = 10
_RETRIES_PER_BATCH: Final = 0.2
"""Beyond that, an outage is only made worse by asking again."""
_OLDEST_INTENT: Final = timedelta(minutes=10)
"""A process that was stopped for longer does not post what it once meant to."""
_LONGEST_FLIGHT: Final = timedelta(minutes=2)
"""After that, batches that were to be sent together are looked at again: their events age."""
_SKEW_TO_TELL: Final = timedelta(minutes=2)
_UNAUTHORIZED: Final = 401
_SKEW_TO_STOP: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Begun:
    """When an intent was made, by both clocks, and until when its events may be sent a second time."""

    at: datetime
    monotonic: float
    resend_until: datetime


@dataclass(slots=True)
class _Try:
    """The tries of one batch so far."""

    outcome: Outcome | None = None
    made: int = 0
    may_have_arrived: bool = False


def _with_secrets(request: Request) -> str:
    """Return the address with the secrets that a platform takes nowhere else; it is shown to nobody."""
    query = urlencode({name: secret.reveal() for name, secret in request.secret_query.items()})
    return f"{request.url}{'&' if '?' in request.url else '?'}{query}" if query else request.url


class Exchange:
    """One destination's requests. What it knows of the run's allowances stands in ``counter``."""

    def __init__(self, target: Target, surroundings: Surroundings, counter: Counter) -> None:
        self._target = target
        self._around = surroundings
        self._counter = counter
        self._counting = threading.Lock()
        self._their_time: datetime | None = None
        self._free_at = 0.0
        """When, by the monotonic clock, the platform's rate allows another request."""

    def begin(self, resend_until: datetime) -> Begun:
        """Begin the age of an intent."""
        return Begun(self._around.clock(), self._around.monotonic(), resend_until)

    def may_begin(self, begun: Begun) -> bool:
        """Tell whether the first try of one of several batches may begin now: their intents age while they wait."""
        is_stale = self._age(begun) > _LONGEST_FLIGHT
        return not (is_stale or self._counter.clock_is_wrong or self._around.stop() or self.is_late())

    def first_try(self, post: Post, request: Request, sent: int) -> Outcome:
        """Make a request once. May be called from several threads at a time; `believe` must follow in the first."""
        with self._counting:
            self._counter.requests += 1
        try:
            answer = self._post(post, request)
        except NotSent as error:
            return Outcome(Verdict.NOT_SENT, message=f"{error} ({self._target.account.base_url})")
        except InDoubt as error:
            return Outcome(Verdict.IN_DOUBT, code="no_answer", message=str(error))
        except PlatformRefused as error:
            return Outcome(Verdict.BLOCKED, code="credentials", message=str(error))
        with self._counting:
            self._compare_clocks(answer.date)
        return self._target.destination.read_response(Response(answer.status, answer.body, answer.headers), sent)

    def _post(self, post: Post, request: Request) -> Answer:
        """Say as whom it comes, and post; a second time where the access token was not taken any more."""
        url = _with_secrets(request)
        known = dict(request.headers) | {k: v.reveal() for k, v in request.secret_headers.items()}
        answer = post(url, request.body, known | self._around.sign(url))
        if answer.status == _UNAUTHORIZED and self._around.sign.renew():
            answer = post(url, request.body, known | self._around.sign(url))
        return answer

    def keep_pace(self) -> None:
        """Wait until the platform's rate allows another request; what else must hold is looked at after that."""
        pause = 60 / self._target.destination.requests_per_minute
        if not pause or self._around.stop():
            return
        with self._counting:
            now = self._around.monotonic()
            begins_at = max(now, self._free_at)
            self._free_at = begins_at + pause
        if begins_at > now:
            self._around.sleep(begins_at - now)

    def make(self, request: Request, sent: int, begun: Begun, first: Outcome | None = None) -> tuple[Outcome, bool]:
        """Make a request for ``sent`` events; say also whether any try may have arrived.

        Between two tries lies a pause with full jitter, and never less than the platform asked for. ``first`` is the
        outcome of a first try that was made already.
        """
        tries = _Try()

        def once() -> Outcome:
            if tries.outcome is not None:
                self.keep_pace()
                # Asked again here: the pause before this try may have lasted longer than it should.
                if not self._may_retry(tries, begun):
                    return tries.outcome
            is_made = first is not None and tries.made == 0
            tries.outcome = first if first is not None and is_made else self._try(request, sent, begun)
            tries.made += 1
            self._counter.retries += tries.made > 1
            tries.may_have_arrived |= tries.outcome.verdict is Verdict.IN_DOUBT
            return tries.outcome

        retrying = tenacity.Retrying(
            sleep=self._around.sleep,
            stop=lambda _state: tries.made >= TRIES or not self._may_retry(tries, begun),
            wait=lambda state: max(BACKOFF(state), (tries.outcome.wait_s if tries.outcome else None) or 0),
            retry=tenacity.retry_if_result(lambda found: found.verdict in PASSING),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        return retrying(once), tries.may_have_arrived

    def _may_retry(self, tries: _Try, begun: Begun) -> bool:
        allowed = _RETRIES + _RETRIES_PER_BATCH * self._counter.batches
        too_long = tries.outcome is not None and (tries.outcome.wait_s or 0) > LONGEST_WAIT_S
        counts_twice = tries.may_have_arrived and self._around.clock() >= begun.resend_until
        spent = self._counter.retries + 1 > allowed
        must_end = self._counter.clock_is_wrong or self._around.stop() or self.is_late()
        return not (spent or too_long or counts_twice or must_end or self._is_old(begun))

    def _is_old(self, begun: Begun) -> bool:
        return self._age(begun) > _OLDEST_INTENT

    def _age(self, begun: Begun) -> timedelta:
        """Tell by either clock: the wall's jumps when it is set, the other one may stop while the machine sleeps."""
        ages = (self._around.clock() - begun.at, timedelta(seconds=self._around.monotonic() - begun.monotonic))
        return max(ages)

    def _try(self, request: Request, sent: int, begun: Begun) -> Outcome:
        if self._is_old(begun):
            return Outcome(Verdict.NOT_SENT, message="the run was stopped for too long between intent and request")
        outcome = self.first_try(self._around.post, request, sent)
        self.believe()
        return outcome

    # ------------------------------------------------------------------ time

    def is_late(self) -> bool:
        """Tell whether a request that begins now could outlast the deadline."""
        needed = timedelta(seconds=self._target.settings.total_timeout_s + 5)
        return bool(self._around.deadline and self._around.clock() + needed > self._around.deadline)

    def _compare_clocks(self, theirs: datetime | None) -> None:
        ours = self._around.clock()
        if theirs is None or abs(theirs - ours) <= _SKEW_TO_TELL:
            return
        told = (
            f"{self._target.name} says that it is {theirs:%Y-%m-%d %H:%M:%S} UTC, this machine's clock says "
            f"{ours:%Y-%m-%d %H:%M:%S} UTC"
        )
        if abs(theirs - ours) > _SKEW_TO_STOP:
            self._counter.clock_is_wrong = True
            self._their_time = theirs
        if not self._counter.warnings:
            self._counter.warnings.append(f"{told}. Set the clock: the ages of events are judged by it.")

    def believe(self) -> None:
        """Take the platform's time for the right one, where ours proved to be wrong."""
        theirs, self._their_time = self._their_time, None
        if theirs is not None:
            self._around.ledger.correct_clock(theirs)

    def check_clock(self) -> None:
        """Raise when the platform's clock showed that ours cannot be believed."""
        if self._counter.clock_is_wrong:
            raise TryLater(f"{self._counter.warnings[0]} Nothing more was sent, and nothing was judged to be too old.")
