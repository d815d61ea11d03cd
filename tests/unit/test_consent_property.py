"""The SQL of consent against a second rule in plain Python, on thousands of random histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support.consent_reference import Answer, Decision, Event, Law, answer, law_of
from tests.support.consent_sql import Decider, compiled

BEGINNING: Final = datetime(2026, 11, 1, tzinfo=UTC)
BATCH: Final = 40
PURPOSES: Final = ("marketing", "analytics")
LAWS: Final = [
    Law(*words) for words in product(("opt_in", "opt_out"), ("hold", "limited_data_use"), *[(False, True)] * 2)
]
POLICY: Final = {
    **{(f"A{letter}", None): law for letter, law in zip("ABCDEFGHIJKLMNOP", LAWS, strict=True)},
    ("AA", "R1"): Law("opt_out", gpc_is_denial=True),
    ("US", None): Law("opt_out", "limited_data_use"),
    ("US", "CA"): Law("opt_out", gpc_is_denial=True),
}
"""Every row that a policy can have, a region with its own law, and a country whose regions have laws of their own."""

PLACES: Final = [
    *((country, None) for country, region in POLICY if region is None),
    *(("AA", "R1"), ("AP", "R1"), ("US", "CA"), ("US", "WY"), ("ZZ", None), ("ZZ", "CA"), (None, None), (None, "CA")),
]

TIMES: Final = 6
"""So few that many things happen in the same moment."""

OWN_VISIT: Final = ("session", "own")


class Session(NamedTuple):
    """A visit that may carry the browser's signal, of a visitor or of nobody known, and perhaps of a customer.

    The first visit of a history is the event's own.
    """

    visitor: int | None
    customer: int | None
    at: int | None
    has_signal: bool


class History(NamedTuple):
    """One event and everything that was said around it.

    Subjects: 0 the customer, 1 and 2 visitors, 3 and 4 another browser and account of the person, 5 a stranger.
    """

    place: int
    at: int | None
    roles: tuple[bool, bool, bool, bool, bool]
    said: list[tuple[int, str, bool, int | None]]
    sessions: list[Session]


# One number stands for a whole row, so that thousands of histories are drawn in seconds.
SUBJECTS: Final = (*range(4), *range(6))
ROWS: Final = list(product(SUBJECTS, (*PURPOSES, "marketing", "other"), (False, False, True), (*range(TIMES), None)))
SESSIONS: Final = list(product((1, 2, 3, 5, None), (None, 0, 4), (*range(TIMES), None), (False, True)))
ROLES: Final = list(product((False, True), repeat=5))

HISTORIES: Final = st.builds(
    lambda place, at, roles, said, sessions: History(
        place,
        None if at == TIMES else at,
        ROLES[roles],
        [ROWS[one] for one in said],
        [Session(*SESSIONS[one]) for one in sessions],
    ),
    place=st.integers(0, len(PLACES) - 1),
    at=st.integers(0, TIMES),
    roles=st.integers(1, len(ROLES) - 1),
    said=st.lists(st.integers(0, len(ROWS) - 1), min_size=2, max_size=10),
    sessions=st.lists(st.integers(0, len(SESSIONS) - 1), max_size=2),
)


def moment(at: int | None) -> datetime | None:
    """Return the number as a time, as the warehouse keeps it: in UTC without saying so."""
    return None if at is None else (BEGINNING + timedelta(hours=at)).replace(tzinfo=None)


def subject(number: int, one: int) -> tuple[str, str]:
    """Return what the log calls a subject of a history: each history has its own."""
    return ("customer", f"c{number}-{one}") if one in {0, 4} else ("visitor", f"v{number}-{one}")


def expected(number: int, history: History, as_of: int) -> Iterator[tuple[tuple[str, str], Answer]]:
    """Yield the answers of the reference."""
    speakers = {subject(number, one) for one in (0, 1, 2) if history.roles[one]}
    objectors = {subject(number, one) for one in (3, 4) if history.roles[one]}
    event = Event(history.at, *PLACES[history.place], frozenset({*speakers, OWN_VISIT}), frozenset(objectors))
    decisions = [Decision(subject(number, one), *rest) for one, *rest in history.said]
    for order, session in enumerate(history.sessions):
        named = {subject(number, one) for one in (session.visitor, session.customer) if one is not None}
        named |= {OWN_VISIT} if order == 0 else set()
        decisions += [Decision(one, None, True, session.at) for one in named if session.has_signal]
    for purpose in PURPOSES:
        yield (f"e{number}", purpose), answer(event, purpose, decisions, law_of(event, POLICY), as_of)


def tables(histories: list[History]) -> dict[str, list[dict[str, Any]]]:
    """Return the histories as what the models read."""
    found: dict[str, list[dict[str, Any]]] = {
        "stg_raw__consent": [], "stg_raw__sessions": [], "int_events__identified": [], "int_events__touched": [],
        "int_people__resolved": [],
    }  # fmt: skip
    for number, history in enumerate(histories):
        ids = [subject(number, one)[1] if is_in else None for one, is_in in enumerate(history.roles)]
        event = dict(zip(("customer_id", "visitor_id", "session_visitor_id"), ids, strict=False))
        place = dict(zip(("country_code", "region_code"), PLACES[history.place], strict=True))
        event |= {"event_key": f"e{number}", "event_at": moment(history.at)} | place
        event |= {"event_name": "Purchase", "event_id": f"p.{number}", "is_duplicate": False}
        event |= {"session_id": f"s{number}-0", "person_id": f"p{number}"}
        found["int_events__identified"].append(event)
        accounts = [subject(number, one)[1] for one in (0, 4) if history.roles[one]]
        found["int_people__resolved"] += [{"node": f"customer:{one}", "person_id": f"p{number}"} for one in accounts]
        found["int_events__touched"].append({"event_key": f"e{number}", "visitor_id": ids[3]})
        found["stg_raw__consent"] += said(number, history)
        found["stg_raw__sessions"] += visits(number, history)
    laws = [
        dict(zip(("country_code", "region_code"), place, strict=True)) | law._asdict() for place, law in POLICY.items()
    ]
    purposes = [
        {"destination": f"to-{purpose}", "consent_purpose": purpose, "is_enabled": True} for purpose in PURPOSES
    ]
    return found | {"consent_policy": laws, "destinations": purposes}


def said(number: int, history: History) -> Iterator[dict[str, Any]]:
    """Yield the rows of the log."""
    for one, purpose, is_denied, at in history.said:
        kind, name = subject(number, one)
        row = {"subject_type": kind, "subject_id": name, "purpose": purpose, "recorded_at": moment(at)}
        yield row | {"status": "denied" if is_denied else "granted"}


def visits(number: int, history: History) -> Iterator[dict[str, Any]]:
    """Yield the sessions."""
    for order, one in enumerate(history.sessions):
        visitor, customer = (None if who is None else subject(number, who)[1] for who in (one.visitor, one.customer))
        row = {"session_id": f"s{number}-{order}", "visitor_id": visitor, "customer_id": customer}
        yield row | {"started_at": moment(one.at), "global_privacy_control": one.has_signal}


def decided(rows: Iterable[dict[str, Any]]) -> dict[tuple[str, str], Answer]:
    """Return what the SQL says in the reference's words."""
    found = {}
    for row in rows:
        at = row["consent_decided_at"]
        hours = None if at is None else round((at.replace(tzinfo=UTC) - BEGINNING) / timedelta(hours=1))
        words = (row["consent_regime"], row["consent_at_event"], row["consent_at_as_of"], hours)
        key = (row["event_key"], row["consent_purpose"])
        assert key not in found, f"{key} is there twice"
        found[key] = Answer(*words, row["hold_reason"], row["is_limited_data_use"])
    return found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Compile the project's SQL once."""
    return compiled(tmp_path_factory.mktemp("compiled"))


def compare(
    check: Callable[[list[History], int], Counter[str]], examples: int, phases: Iterable[Phase] = tuple(Phase)
) -> Counter[str]:
    """Check batches of random histories, and count what was seen."""
    seen = Counter[str]()

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, phases=phases)
    @given(histories=st.lists(HISTORIES, min_size=BATCH, max_size=BATCH), as_of=st.integers(2, TIMES))
    def run(histories: list[History], as_of: int) -> None:
        seen.update(check(histories, as_of))
        seen["histories"] += len(histories)

    run()
    return seen


def answers(histories: list[History], as_of: int) -> dict[tuple[str, str], Answer]:
    """Return what the reference says about every event and purpose."""
    return {key: told for number, one in enumerate(histories) for key, told in expected(number, one, as_of)}


def deciding(models: dict[str, str]) -> Callable[[list[History], int], Counter[str]]:
    """Compare the SQL's decisions with the reference's."""
    decider = Decider(models)

    def check(histories: list[History], as_of: int) -> Counter[str]:
        wanted = answers(histories, as_of)
        assert decided(decider.decide(tables(histories), BEGINNING + timedelta(hours=as_of))) == wanted
        return Counter(told.hold_reason or ("limited" if told.is_limited else "sendable") for told in wanted.values())

    return check


def guarding(models: dict[str, str]) -> Callable[[list[History], int], Counter[str]]:
    """Say that every event is sendable, and compare what the data test finds with what the reference holds."""
    decider = Decider(models)

    def check(histories: list[History], as_of: int) -> Counter[str]:
        given_tables = tables(histories)
        at = {row["event_key"]: row["event_at"] for row in given_tables["int_events__identified"]}
        wanted = {key: told for key, told in answers(histories, as_of).items() if at[key[0]] is not None}
        given_tables["fct_conversion_events"] = given_tables["int_events__identified"]
        given_tables["fct_conversion_outbox"] = [
            {"event_key": key, "destination": purpose, "event_at": at[key], "as_of": moment(as_of)}
            | {"consent_purpose": purpose, "is_sendable": True, "is_limited_data_use": told.is_limited}
            for (key, purpose), told in wanted.items()
        ]
        rows = decider.guard(given_tables, BEGINNING + timedelta(hours=as_of))
        found = sorted((row["event_key"], row["destination"]) for row in rows)
        assert found == sorted(key for key, told in wanted.items() if told.hold_reason)
        return Counter(found=len(found))

    return check


def auditing(models: dict[str, str]) -> Callable[[list[History], int], Counter[str]]:
    """Say that every event was sent at some time, and compare the audit with what the reference knew at that time."""
    decider = Decider(models)

    def check(histories: list[History], as_of: int) -> Counter[str]:
        given_tables, wanted = tables(histories), {}
        given_tables["stg_kept__sent_log"] = log = []
        for number, history in enumerate(histories):
            sent_at = (number + history.place) % (TIMES + 2)
            # A denial without a readable time is made at as_of, however early the sending was.
            known = history._replace(
                said=[(*one[:3], as_of if one[3] is None and one[2] else one[3]) for one in history.said]
            )
            known = known._replace(
                sessions=[one._replace(at=as_of) if one.at is None else one for one in history.sessions]
            )
            for (key, purpose), told in expected(number, known, sent_at):
                row = {"destination": f"to-{purpose}", "destination_id": f"to-{purpose}:1", "event_name": "Purchase"}
                log.append(row | {"event_id": f"p.{number}", "state": "acked", "first_intent_at": moment(sent_at)})
                if sent_at <= as_of and told.hold_reason:
                    wanted[key, purpose] = told.hold_reason
        rows = decider.audit(given_tables, BEGINNING + timedelta(hours=as_of))
        assert {(row["event_key"], row["consent_purpose"]): row["broken_rule"] for row in rows} == wanted
        return Counter(wanted.values())

    return check


def test_the_sql_decides_as_the_reference(models: dict[str, str], figure: Callable[[str, str], None]) -> None:
    """On 6,000 random histories of many subjects, purposes, ties, signals and laws there is no difference."""
    seen = compare(deciding(models), 150)
    histories = seen.pop("histories")
    figure("consent", f"{histories:,} random histories, 0 differences between SQL and Python: {dict(seen)}")
    assert histories >= 5000
    # None of the answers is so rare that the comparison says nothing about it.
    assert min(seen.values()) >= 300, seen
    assert len(seen) == 5


def test_the_guard_finds_what_the_reference_holds(models: dict[str, str]) -> None:
    """Were everything sendable, the data test of the outbox would find exactly what has no permission."""
    assert compare(guarding(models), 40)["found"] >= 300


def test_the_audit_finds_what_the_reference_would_have_held(models: dict[str, str]) -> None:
    """Were everything sent, at any time, the audit would list exactly what had no permission then, for any as_of."""
    seen = compare(auditing(models), 40)
    assert min(seen[reason] for reason in ("consent_missing", "consent_denied", "consent_withdrawn")) >= 20, seen


MISTAKES: Final = {
    "a tie is a grant": ("int_events__decided", "denied_before >= coalesce(granted_before, denied_before)",
        "denied_before > coalesce(granted_before, cast('1800-01-01' as timestamp))"),
    "a grant revives": ("int_events__consented", "when decisions.withdrawn_at is not null then",
        "when decisions.withdrawn_at is not null and decisions.status_at_as_of = 'denied' then"),
    "another browser speaks": ("int_events__subjects", "'lender' as subject_type", "'visitor' as subject_type"),
    "who took it back still objects": ("int_events__decided",
        "not objects or denied_before >= coalesce(granted_before, denied_before)", "true"),
    "the signal counts everywhere": ("int_consent__gathered", "laws.heeds_signals or not told.is_signal", "true"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_sql_is_found(models: dict[str, str], mistake: str) -> None:
    """As where a tie is a grant, another browser's grant counts, or a signal is heeded where no law says so."""
    model, right, wrong = MISTAKES[mistake]
    assert right in models[model]
    with pytest.raises(AssertionError):
        compare(deciding(models | {model: models[model].replace(right, wrong)}), 150, [Phase.generate])
