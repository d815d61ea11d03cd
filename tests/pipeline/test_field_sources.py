"""The register of data sharing says truly which raw columns each field is made of."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.dbt_project import build, rows
from tests.support.two_worlds import Column, raw_tables, without_number, worlds

Sources = dict[str, set[Column]]

KEYS = {
    *("order_id", "session_id", "lead_id", "subscription_id", "web_event_id", "app_event_id", "message_id"),
    *("refund_id", "customer_id", "visitor_id", "email"),
}
"""By these, rows of two tables or records of one person are brought together."""

CONDITIONS = {
    *("channel", "event_name", "stage", "change", "platform", "is_test", "financial_status", "started_at"),
    *("currency", "value", "product_id", "messaging_channel", "country_code", "refunded_at"),
}
"""These decide whether something is told, or how it is written. The register is about what is told."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sources, Sources]:
    """Return what is declared, and what is seen: an event differs where nothing but a raw column does."""
    variables = {"segment_customers": True, "subtract_refunds": True}
    warehouse = build(tmp_path_factory.mktemp("worlds"), raw_tables(), variables)
    declared: Sources = {}
    for row in rows(warehouse, "select * from audit_field_sources"):
        declared.setdefault(row["field"], set()).add((row["raw_table"], row["raw_column"]))
    found = rows(
        warehouse,
        "select events.*, records.source_table, records.source_id from fct_conversion_events as events "
        "inner join int_events__identified as records on records.event_key = events.event_key",
    )
    return declared, seen(found)


def seen(events: list[dict[str, Any]]) -> Sources:
    """Return by which raw columns each column of the events differs from the shop that has them plain."""
    shops: dict[tuple[int, str], dict[str, Any]] = {}
    for event in events:
        number = int(re.findall(r"-x(\d+)x", f"{event['event_key']} {event['source_id']}")[0])
        shops[number, event["source_table"]] = {name: without_number(one, number) for name, one in event.items()}
    found: Sources = {}
    plain = {}
    for number, (is_bare, other) in enumerate(worlds()):
        if other is None:
            plain[is_bare] = number
            continue
        for (_, table), event in ((key, one) for key, one in shops.items() if key[0] == number):
            usual = shops.get((plain[is_bare], table), event)
            for name in event:
                if event[name] != usual[name]:
                    found.setdefault(name, set()).add(other)
    return found


def test_nothing_is_made_of_a_column_that_the_register_hides(sources: tuple[Sources, Sources]) -> None:
    """What differs with a raw column names it, but for keys and conditions."""
    declared, found = sources
    hidden = {
        field: sorted(column for column in columns - declared[field] if column[1] not in KEYS | CONDITIONS)
        for field, columns in found.items()
        if field in declared
    }
    assert {field: columns for field, columns in hidden.items() if columns} == {}


def test_no_personal_column_is_named_that_is_not_used(sources: tuple[Sources, Sources]) -> None:
    """A field that leaves with a person is made of every column that the register names for it.

    A country counts only where a number is national, or a postal code American.
    """
    declared, found = sources
    personal = [name for name in declared if "_sha256" in name] + ["client_ip", "user_agent", "fbp", "order_id"]
    unused = {name: sorted(declared[name] - found.get(name, set())) for name in personal}
    assert {name: columns for name, columns in unused.items() if {one for _, one in columns} - {"country_code"}} == {}
