"""May a destination be sent to now, and for how long must it be left alone?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from uploader.delivery.exchange import LONGEST_WAIT_S, PASSING
from uploader.errors import TryLater
from uploader.ledger import Breaker

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.delivery.exchange import Exchange
    from uploader.delivery.surroundings import Counter, Surroundings
    from uploader.delivery.targets import Target
    from uploader.destinations.interface import Outcome

_LONGEST_PAUSE: Final = timedelta(hours=24)
_UNTOLD_PAUSE_S: Final = 60.0
"""How long to leave a platform alone that asks for it without saying how long."""


class Pauses:
    """One destination's pauses; what they are over runs stands in the sent log."""

    def __init__(self, target: Target, around: Surroundings, exchange: Exchange, counter: Counter) -> None:
        self._target, self._around, self._exchange, self._counter = target, around, exchange, counter
        self._breaker = around.ledger.breaker(target.destination_id)

    def check_go(self) -> None:
        """Raise `TryLater` when this run may begin no request any more."""
        if self._around.stop():
            raise TryLater("The run was interrupted; what was not tried is sent by the next one.")
        if self._exchange.is_late():
            raise TryLater("The deadline came; what was not tried is sent by the next run.")

    def check(self) -> None:
        """Raise `TryLater` while the platform asked to be left alone, or failed too often."""
        now, name = self._around.clock(), self._target.name
        until = self._around.ledger.paused_until(self._target.destination_id)
        if until is not None and until > now:
            raise TryLater(f"{name} asked to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC.")
        if self._breaker.is_open(now):
            raise TryLater(
                f"{name} failed {self._breaker.failures} times in a row; the next try is not before "
                f"{self._breaker.open_until:%Y-%m-%d %H:%M:%S} UTC."
            )

    def remember(self, outcome: Outcome) -> tuple[float, datetime]:
        """Let the next run know how long the platform asks to be left alone; return the seconds, and until when."""
        seconds = _UNTOLD_PAUSE_S if outcome.wait_s is None else outcome.wait_s
        until = self._around.clock() + min(timedelta(seconds=seconds), _LONGEST_PAUSE)
        self._around.ledger.pause(self._target.destination_id, until)
        return seconds, until

    def wait(self, outcome: Outcome, *, may_wait: bool) -> None:
        """Wait as long as the platform asks for, or raise `TryLater` and let the next run know."""
        seconds, until = self.remember(outcome)
        rest = timedelta(seconds=self._target.settings.total_timeout_s + 5)
        fits = self._around.deadline is None or until + rest <= self._around.deadline
        if not may_wait or seconds > LONGEST_WAIT_S or not fits:
            about = f"{self._target.name}: {outcome.message or outcome.code or outcome.verdict}"
            raise TryLater(f"{about}. Sending goes on after {until:%Y-%m-%d %H:%M:%S} UTC.")
        self._around.sleep(seconds)

    def count(self, outcome: Outcome) -> None:
        """Count batches that met a passing fault, over runs; raise when the breaker opens. An answer resets it."""
        ledger, destination_id = self._around.ledger, self._target.destination_id
        if outcome.verdict not in PASSING:
            if self._breaker.failures:
                self._breaker = Breaker()
                ledger.record_breaker(destination_id, self._breaker)
            return
        now = self._around.clock()
        self._breaker = self._breaker.failed(now)
        ledger.record_breaker(destination_id, self._breaker)
        about = f"{self._target.name}: {outcome.message or outcome.code or outcome.verdict}"
        later = TryLater(f"{about}. What was not sent, or is in doubt, is for the next run.")
        if outcome.wait_s and outcome.wait_s > LONGEST_WAIT_S:
            ledger.pause(destination_id, now + min(timedelta(seconds=outcome.wait_s), _LONGEST_PAUSE))
            raise later
        if self._breaker.is_open(now):
            raise later
        self._counter.problem = later
