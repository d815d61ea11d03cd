"""Proof in time: what left had permission, in every run and for any past day; what had none is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.dbt_project import MODELS_ONLY, decision, load, order, rows, session
from tests.support.project import Project
from tests.support.shop import DATASET, settings_for
from uploader.sandbox import Sandbox

MORNING, NOON, EVENING = (datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in (8, 12, 18))

CALIFORNIA = {"country_code": "US", "region": "CA"}
ORDERS = [
    order("plain", email="plain@example.com"),
    order("returned", email="returned@example.com"),
    order("refused", email="refused@example.com"),
    order("signalling", email="signalling@example.com", session_id="s1", **CALIFORNIA),
    order("abroad", email="abroad@example.com", session_id="s2"),
    order("signalling_later", email="later@example.com", session_id="s3", **CALIFORNIA),
]
"""Of different people: what one account of a person refuses counts for all of them."""

SIGNAL = {"global_privacy_control": "1"}
SESSIONS = [session("s1", **SIGNAL), session("s2", **SIGNAL), session("s3")]
BEFORE_NOON = [
    *(decision(f"c-{name}") for name in ("plain", "returned", "abroad")),
    decision("c-refused", "denied"),
]
"""The signal is nothing in Germany; in California silence is enough, but the signal is a denial."""

AFTER_NOON = [
    decision("c-returned", "denied", recorded_at="2026-11-20T13:00:00Z"),
    decision("c-returned", consent_id="again", recorded_at="2026-11-20T14:00:00Z"),
]
LATE = [
    order("late", customer_id="c-plain", email="plain@example.com", paid_at="2026-11-20T17:00:00Z", total="20.00"),
    order(
        "between", customer_id="c-returned", email="returned@example.com", paid_at="2026-11-20T13:30:00Z", total="30.00"
    ),
]


@dataclass(frozen=True)
class Day:
    """A shop after two runs, and what each of them counted."""

    project: Project
    noon: dict[str, Any]
    evening: dict[str, Any]

    def audited(self, as_of: datetime) -> list[dict[str, Any]]:
        """Return what the audit lists for a moment."""
        variables = json.dumps({"as_of": as_of.isoformat()})
        models = ("int_consent__gathered", "int_events__sent", "audit_sent_without_consent")
        self.project.dbt("run", "--select", *models, "--vars", variables)
        query = "select event_id, occasion, broken_rule, decided_at from audit_sent_without_consent order by all"
        return rows(self.project.warehouse, query)


def run(project: Project, now: datetime, tables: dict[str, Any]) -> dict[str, Any]:
    """Load, build and send, as a scheduler does it."""
    load(project.warehouse, tables)
    at = replace(project, settings={**project.settings, "UPLOADER_NOW": now.isoformat()})
    at.dbt("build", *MODELS_ONLY)
    sent: dict[str, Any] = json.loads(at.uploader("send", "--json"))["destinations"]["meta"]
    return sent


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Send at noon; then a customer withdraws and returns, and a browser begins to signal; send in the evening."""
    later = session("s4", visitor_id="v-s3", started_at="2026-11-20T15:00:00Z", **SIGNAL)
    with Sandbox(clock=lambda: NOON, dataset_ids=[DATASET]) as sandbox:
        project = Project.copy(tmp_path_factory.mktemp("shop"), settings_for(sandbox, NOON))
        noon = run(project, NOON, {"orders": ORDERS, "sessions": SESSIONS, "consent": BEFORE_NOON})
    with Sandbox(clock=lambda: EVENING, dataset_ids=[DATASET]) as sandbox:
        project = replace(project, settings=settings_for(sandbox, EVENING))
        tables = {"orders": [*ORDERS, *LATE], "sessions": [*SESSIONS, later], "consent": [*BEFORE_NOON, *AFTER_NOON]}
        yield Day(project, noon, run(project, EVENING, tables))


def test_each_run_sends_what_it_may(day: Day) -> None:
    """At noon four leave; in the evening one more, and what was withdrawn or signalled meanwhile leaves no more."""
    held = "select event_id, hold_reason from fct_conversion_outbox where not is_sendable"
    found = {row["event_id"]: row["hold_reason"] for row in rows(day.project.warehouse, held)}
    assert (day.noon["acked"], day.evening["new"]) == (4, 1)
    assert found == {
        "purchase.returned": "consent_withdrawn",
        "purchase.between": "consent_denied",
        "purchase.refused": "consent_denied",
        "purchase.signalling": "consent_denied",
        "purchase.signalling_later": "consent_withdrawn",
    }


@pytest.mark.parametrize("as_of", [MORNING, datetime(2026, 11, 20, 13, 30, tzinfo=UTC), EVENING])
def test_nothing_left_without_permission(day: Day, as_of: datetime) -> None:
    """After both runs the audit is empty, whatever the day that it is asked for."""
    assert rows(day.project.warehouse, "select count(*) as found from sent_log") == [{"found": 5}]
    assert day.audited(as_of) == []


def test_a_planted_violation_is_found(day: Day) -> None:
    """Rows of the sent log for events that were held are listed, from the moment on at which they left."""
    clean = day.project.warehouse.read_bytes()
    plant(day.project.warehouse)
    refused = {"event_id": "purchase.refused", "occasion": "sending", "broken_rule": "consent_denied"}
    again = {"event_id": "purchase.returned", "occasion": "resending", "broken_rule": "consent_withdrawn"}
    assert day.audited(datetime(2026, 11, 20, 15, tzinfo=UTC)) == []
    assert day.audited(EVENING) == [
        refused | {"decided_at": datetime(2026, 11, 1)},
        again | {"decided_at": datetime(2026, 11, 20, 13)},
    ]
    told = day.project.dbt("test", "--select", "nothing_left_without_consent")
    assert "WARN 2 nothing_left_without_consent" in told
    day.project.warehouse.write_bytes(clean)


def plant(warehouse: Path) -> None:
    """Write that a refused order was sent in a rehearsal, and that a withdrawn one was sent once more."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "insert into sent_log values ('meta', 'meta:1#test', 'Purchase', 'purchase.refused', 'acked', null, "
            "'2026-11-20 16:00:00', '2026-11-20 16:00:01')"
        ).fetchall()
        connection.execute(
            "update sent_log set updated_at = '2026-11-20 16:00:00' where event_id = 'purchase.returned'"
        ).fetchall()
