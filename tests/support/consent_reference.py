"""The rule of consent, a second time: in plain Python, decision by decision, without the project's SQL.

Times are whole numbers. ``answer`` is meant to be read by whoever answers for privacy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Subject = tuple[str, str]
"""``customer``, ``visitor`` or ``session``, and the id."""


class Law(NamedTuple):
    """One row of the policy."""

    regime: str
    on_denial: str = "hold"
    gpc_is_denial: bool = False
    regrant_revives: bool = False


class Decision(NamedTuple):
    """What was said by whom; without a purpose it is the browser's signal. ``at`` None: the time cannot be read."""

    subject: Subject
    purpose: str | None
    is_denied: bool
    at: int | None


class Event(NamedTuple):
    """What happened, where, who may speak about it, and who may object: the person's other accounts and browsers."""

    at: int | None
    country: str | None
    region: str | None
    subjects: frozenset[Subject]
    objectors: frozenset[Subject] = frozenset()


class Answer(NamedTuple):
    """What `int_events__consented` says about an event and a purpose."""

    regime: str
    at_event: str | None
    at_as_of: str | None
    decided_at: int | None
    hold_reason: str | None
    is_limited: bool


Policy = Mapping[tuple[str | None, str | None], Law]


def law_of(event: Event, policy: Policy) -> Law:
    """Return the region's law, else the country's, else the strictest; a US order needs its state."""
    country, region = event.country, event.region
    found = policy.get((country, region)) if region else None
    if found is None and not (country == "US" and region is None):
        found = policy.get((country, None))
    return found or Law("opt_in", gpc_is_denial=country in (None, "US"))


def answer(event: Event, purpose: str, decisions: list[Decision], law: Law, as_of: int) -> Answer:
    """Say whether an event may be used for a purpose, as known at ``as_of``."""
    known: dict[Subject, list[tuple[int, bool]]] = {}
    for one in decisions:
        is_heeded = one.purpose == purpose or (one.purpose is None and law.gpc_is_denial)
        at = as_of if one.at is None and one.is_denied else one.at
        if one.subject in event.subjects | event.objectors and is_heeded and at is not None and at <= as_of:
            known.setdefault(one.subject, []).append((at, one.is_denied))
    then, now = last_word(event, known, until=event.at), last_word(event, known, until=as_of)
    every = [word for words in known.values() for word in words]
    denials_after = [at for at, is_denied in every if is_denied and (event.at is None or at > event.at)]
    reason, relied_on = None, then or now
    if then is None and law.regime == "opt_in":
        reason, relied_on = "consent_missing", None
    elif then and then[1]:
        reason = "consent_denied"
    elif denials_after and law.regrant_revives:
        reason, relied_on = ("consent_withdrawn" if now and now[1] else None), now
    elif denials_after:
        reason, relied_on = "consent_withdrawn", (min(denials_after), True)
    is_limited = bool(reason) and law.regime == "opt_out" and law.on_denial == "limited_data_use"
    decided_at = relied_on[0] if relied_on else None
    return Answer(law.regime, word(then), word(now), decided_at, None if is_limited else reason, is_limited)


def last_word(
    event: Event, known: Mapping[Subject, list[tuple[int, bool]]], until: int | None
) -> tuple[int, bool] | None:
    """Return the latest of what the subjects said, and of the objectors those whose own latest word is a denial.

    Of two at the same time the denial is the greater: True follows False.
    """
    heard = []
    for subject, words in known.items():
        early = [one for one in words if until is not None and one[0] <= until]
        last = max(early, default=None)
        if last and (subject in event.subjects or last[1]):
            heard.append(last)
    return max(heard, default=None)


def word(decision: tuple[int, bool] | None) -> str | None:
    """Return the status as the log writes it."""
    return None if decision is None else "denied" if decision[1] else "granted"
