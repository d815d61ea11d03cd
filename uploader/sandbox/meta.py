"""Meta's Conversions API as its documents and public observations describe it: a call in, a judgement out.

https://developers.facebook.com/documentation/ads-commerce/conversions-api/using-the-api (read 2026-09-12).
Nothing here counts, waits or looks at a clock.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from uploader.sandbox import meta_event, meta_shape
from uploader.sandbox import meta_refusal as refuse
from uploader.sandbox.meta_refusal import Refusal
from uploader.sandbox.wire import Answer, Call, UnreadableError, form_fields, json_answer, strict_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

MAX_EVENTS: Final = 1000
PATH: Final = re.compile(r"/(?P<version>v\d{1,3}\.\d)/(?P<dataset_id>[^/]+)(?P<edge>/events)?/?")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one call was, and whether its events were taken: ``refusal`` is set when none was."""

    dataset_id: str
    is_upload: bool
    """Whether events were posted; reading the dataset's name is none."""
    token_from: str | None = None
    events: tuple[meta_event.Event, ...] = ()
    test_event_code: str | None = None
    refusal: Refusal | None = None
    warnings: Mapping[str, int] = field(default_factory=dict)

    def answer(self, trace_id: str, received: int | None = None) -> Answer:
        """Return what Meta would answer; ``received`` is a count to claim instead of the true one."""
        if self.refusal is not None:
            return json_answer(self.refusal.body(trace_id), self.refusal.status)
        if not self.is_upload:
            return json_answer({"id": self.dataset_id, "name": "Sandbox dataset"})
        count = len(self.events) if received is None else received
        messages = [f"{name} ({times} events)" for name, times in self.warnings.items()]
        return json_answer({"events_received": count, "messages": messages, "fbtrace_id": trace_id})


@dataclass(frozen=True, slots=True)
class Meta:
    """One account at Meta: the token and the datasets it may write to; None means any."""

    token: str
    dataset_ids: frozenset[str] | None
    version: str

    def judge(self, call: Call, now: datetime) -> Judgement:
        """Judge one call received at ``now``. All or nothing: one bad event refuses the whole call."""
        place = PATH.fullmatch(call.path)
        if place is None or _number(place["version"]) > _number(self.version):
            return Judgement("", is_upload=False, refusal=refuse.unknown_path(call.path))
        reading = _Reading(place["dataset_id"], is_upload=call.method == "POST" and bool(place["edge"]))
        try:
            reading.parameters = _parameters(call)
            self._admit(call, reading)
            if reading.is_upload:
                _read_events(reading)
                _judge_events(reading, now)
        except Refusal as refusal:
            reading.refusal = refusal
        return reading.judgement()

    def _admit(self, call: Call, reading: _Reading) -> None:
        scheme, _, bearer = call.headers.get("authorization", "").partition(" ")
        token = reading.parameters.get("access_token")
        if scheme.lower() == "bearer":
            token, reading.token_from = bearer.strip(), "header"
        elif token is not None:
            reading.token_from = "query" if "access_token" in call.query else "body"
        if token != self.token:
            raise refuse.wrong_token(is_missing=not token)
        is_known = self.dataset_ids is None or reading.dataset_id in self.dataset_ids
        is_supported = reading.is_upload or (call.method == "GET" and not call.path.endswith("/events"))
        if not (is_known and is_supported):
            raise refuse.unknown_object(call.method, reading.dataset_id)


@dataclass(slots=True)
class _Reading:
    """A judgement in the making."""

    dataset_id: str
    is_upload: bool
    parameters: Mapping[str, Any] = field(default_factory=dict)
    token_from: str | None = None
    events: tuple[meta_event.Event, ...] = ()
    refusal: Refusal | None = None

    def judgement(self) -> Judgement:
        code = self.parameters.get("test_event_code")
        taken = self.events if self.refusal is None else ()
        return Judgement(
            self.dataset_id,
            self.is_upload,
            token_from=self.token_from,
            events=taken,
            test_event_code=str(code) if code else None,
            refusal=self.refusal,
            warnings=Counter(name for event in taken for name in meta_event.warnings(event)),
        )


def _number(version: str) -> float:
    return float(version.removeprefix("v"))


def _parameters(call: Call) -> Mapping[str, Any]:
    """Gather the parameters of the query and of a JSON or form body; the body wins."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return {**call.query, **form_fields(call.body)}
        if kind != "application/json":
            return call.query
        body = strict_json(call.body)
    except UnreadableError as error:
        raise refuse.bad_parameter("The request body is not valid JSON, or not a valid form") from error
    if not isinstance(body, dict):
        raise refuse.bad_parameter("The request body must be a JSON object")
    return {**call.query, **body}


def _read_events(reading: _Reading) -> None:
    """Read ``data``: a list, or its JSON text; of objects, or of their JSON texts."""
    data = _unpacked(reading.parameters.get("data"), "data")
    if not isinstance(data, list) or not data:
        raise refuse.bad_parameter("param data must be a non-empty array")
    if len(data) > MAX_EVENTS:
        raise refuse.bad_parameter(f"param data must have at most {MAX_EVENTS} elements")
    shaped = (
        meta_shape.check_shape(_unpacked(event, f"$['data'][{position}]"), position)
        for position, event in enumerate(data)
    )
    reading.events = tuple(map(meta_event.Event, shaped))


def _unpacked(value: object, path: str) -> object:
    if not isinstance(value, str):
        return value
    try:
        return strict_json(value)
    except UnreadableError as error:
        raise refuse.bad_parameter(f'param "{path}" is not valid JSON') from error


def _judge_events(reading: _Reading, now: datetime) -> None:
    # Every event's time before any event's identity, as observed; which event is at fault is not said.
    for event in reading.events:
        meta_event.check_time(event, now)
    rule: Callable[[meta_event.Event], None]
    for event in reading.events:
        for rule in meta_event.RULES:
            rule(event)
