"""Faults that can be switched on: what the next uploads meet instead of the right answer."""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from uploader.sandbox.meta_refusal import Refusal
from uploader.sandbox.wire import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

DEFAULT_MINUTES: Final = 5
LONGEST_WAIT_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, for the next ``times`` uploads.

    ``kind`` is one of `KINDS`. ``is_counted`` says whether the upload is judged and counted first, so that
    only the answer is lost or wrong. The other fields refine the kinds that use them.
    """

    kind: str
    times: int = 1
    is_counted: bool = False
    status: int | None = None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    code: int = 4
    minutes: int = DEFAULT_MINUTES
    retry_after: str | None = None
    seconds: float = 1.0
    received: int | None = None
    platform: str | None = None
    """The one whose uploads meet it; None: whoever comes next."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}: use one of {', '.join(KINDS)}")

    @property
    def judges(self) -> bool:
        """Whether the upload is judged and counted despite the fault."""
        return self.is_counted or self.kind in ("none", "reset_after", "slow", "truncated", "wrong_count")


def _status(fault: Fault, _: str) -> Answer:
    return Answer(fault.status or 500, fault.body.encode(), headers=fault.headers)


def _throttle(fault: Fault, trace_id: str) -> Answer:
    usage = {"call_count": 100, "total_cputime": 25, "total_time": 25}
    per_case = usage | {"type": "ads_management", "estimated_time_to_regain_access": fault.minutes}
    headers = {
        "X-App-Usage": orjson.dumps(usage).decode(),
        "X-Business-Use-Case-Usage": orjson.dumps({"1000000000000001": [per_case]}).decode(),
    }
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    refusal = Refusal(fault.code, f"(#{fault.code}) There have been too many calls. Wait a bit and try again.")
    return json_answer(refusal.body(trace_id), fault.status or 400, headers | dict(fault.headers))


def _expired_token(fault: Fault, trace_id: str) -> Answer:
    text = "Error validating access token: Session has expired"
    return json_answer(Refusal(190, text, subcode=463).body(trace_id), fault.status or 401)


def _error(fault: Fault, trace_id: str) -> Answer:
    text = "An unknown error has occurred."
    body = Refusal(1, text, is_transient=True).body(trace_id)
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    return json_answer(body, fault.status or 500, headers)


def _transient(fault: Fault, trace_id: str) -> Answer:
    text = "Service temporarily unavailable"
    return json_answer(Refusal(2, text, is_transient=True).body(trace_id), fault.status or 500)


def _html(fault: Fault, _: str) -> Answer:
    page = fault.body or "<!DOCTYPE html><html><body>Sorry, something went wrong.</body></html>"
    return Answer(fault.status or 200, page.encode(), "text/html; charset=utf-8")


def _empty(fault: Fault, _: str) -> Answer:
    return Answer(fault.status or 200, b"")


def _redirect(fault: Fault, _: str) -> Answer:
    return Answer(fault.status or 302, b"", headers={"Location": "/_sandbox/elsewhere"})


def _reset(_: Fault, __: str) -> Answer:
    return Answer(0, b"", is_reset=True)


def _truncated(_: Fault, trace_id: str) -> Answer:
    body = orjson.dumps({"events_received": 1, "messages": [], "fbtrace_id": trace_id})
    return Answer(200, body[:12], missing_bytes=len(body) - 12)


KINDS: Final[Mapping[str, Callable[[Fault, str], Answer] | None]] = {
    "none": None,
    "status": _status,
    "throttle": _throttle,
    "expired_token": _expired_token,
    "server_error": _error,
    "transient": _transient,
    "reset_before": _reset,
    "reset_after": _reset,
    "hang": _reset,
    "slow": None,
    "html": _html,
    "empty": _empty,
    "truncated": _truncated,
    "wrong_count": None,
    "redirect": _redirect,
}
"""What each kind answers; None: the right answer, later or with another count. ``none`` lets one pass.

``reset_before`` cuts the line before the body is read, ``reset_after`` after counting. ``hang`` waits until
it is released, then cuts the line.
"""


def fault_answer(fault: Fault, trace_id: str) -> Answer | None:
    """Return what the fault answers, or None where the right answer goes out."""
    make = KINDS[fault.kind]
    return None if make is None else make(fault, trace_id)


class Faults:
    """The queue of faults, safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[Fault] = deque()
        self._released = threading.Event()

    def add(self, kind: str, times: int = 1, **options: Any) -> None:
        """Let the next ``times`` uploads meet a fault, after those that wait already. See `Fault`."""
        self.extend([{"kind": kind, "times": times, **options}])

    def extend(self, faults: Iterable[Mapping[str, Any]]) -> None:
        """Add several faults at once, or none of them if one is malformed."""
        try:
            made = [Fault(**fault) for fault in faults]
        except TypeError as error:
            names = ", ".join(known.name for known in dataclasses.fields(Fault))
            raise ValueError(f"a fault is an object with kind and any of {names}") from error
        with self._lock:
            self._released.clear()
            self._queue.extend(one for fault in made for one in [fault] * fault.times)

    def take(self, platform: str) -> Fault | None:
        """Return the next fault for a platform and remove it."""
        with self._lock:
            for position, fault in enumerate(self._queue):
                if fault.platform in (None, platform):
                    del self._queue[position]
                    return fault
            return None

    def pending(self) -> int:
        """Return how many uploads are still to meet a fault."""
        with self._lock:
            return len(self._queue)

    def wait(self, seconds: float = LONGEST_WAIT_S) -> None:
        """Wait until `release` is called, at most so long."""
        self._released.wait(seconds)

    def release(self) -> None:
        """Let every upload go on that hangs or is slow."""
        self._released.set()

    def clear(self) -> None:
        """Forget the faults that wait, and release those that hang."""
        with self._lock:
            self._queue.clear()
        self.release()
