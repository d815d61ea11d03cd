"""The seeds that say what goes where: a mistake in them stops the build, and the message says what is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support import dbt_project as shop
from tests.support.project import Project

if TYPE_CHECKING:
    from pathlib import Path

ROUTES = "event_name,destination,send_after_minutes,note\n"
POLICY = "country_code,region_code,destination,field,source,read_on\n"
BAD_EVENT = """
{{ check_event_name("'Add To Cart'") }}
select 1 as one
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Copy the project once; each test writes the seed that it is about."""
    return Project.copy(tmp_path_factory.mktemp("project"), {"UPLOADER_NOW": shop.NOW})


def build(project: Project, select: str, exit_code: int, **seeds: str) -> str:
    """Write seeds, build a part of the project with its tests, and return what dbt says, on one line."""
    for name, content in seeds.items():
        (project.folder / "seeds" / f"{name}.csv").write_text(content, encoding="utf-8")
    told = project.dbt("--no-use-colors", "build", "--select", *select.split(), exit_code=exit_code)
    return " ".join(told.split())


def test_a_name_in_another_spelling_stops_the_build_with_the_right_one(project: Project) -> None:
    """Case, blanks, dashes, underscores, dots, a plural and British spelling; names of the shop's own pass."""
    wrong = {
        "purchase": "Purchase",
        "Add To Cart": "AddToCart",
        "view_content": "ViewContent",
        "start-trial": "StartTrial",
        "complete.registration": "CompleteRegistration",
        "Leads": "Lead",
        "OrderCancelled": "OrderCanceled",
    }
    fine = ["Purchase", "ClosedWon", "Contract", "Scheduled", "PurchaseOrder", "Leader", "QualifiedLead"]
    rows = "".join(f"{name},meta,,\n" for name in [*wrong, *fine])
    told = build(project, "event_routes destinations", 1, event_routes=ROUTES + rows)
    found = re.findall(r"event name '([^']+)' in seeds/event_routes.csv differs from the standard event '(\w+)'", told)
    assert dict(found) == wrong


def test_a_name_in_a_model_is_checked_too(project: Project) -> None:
    """A literal in another spelling stops the build of the model, which the message names."""
    path = "models/intermediate/events/int_events__bad.sql"
    (project.folder / path).write_text(BAD_EVENT, encoding="utf-8")
    told = build(project, "int_events__bad", 1)
    (project.folder / path).unlink()
    assert f"The event name 'Add To Cart' in {path}" in told
    assert "Write 'AddToCart'." in told


def test_a_route_that_cannot_be_meant_stops_the_build(project: Project) -> None:
    """A hold time longer than the destination waits, one before the event, a second row, a destination nobody knows."""
    rows = "Lead,meta,8641,\nContact,meta,-1,\nSearch,meta,8640,\nPurchase,meta,,\nPurchase,meta,60,\nPurchase,mate,,\n"
    told = build(project, "event_routes destinations", 1, event_routes=ROUTES + rows)
    assert re.search(r"FAIL 2 hold_times_end_in_time", told)
    assert re.search(r"FAIL 1 no_route_stands_twice", told)
    assert re.search(r"FAIL 1 relationships_event_routes_destination", told)


def test_a_policy_that_cannot_be_meant_stops_the_build(project: Project) -> None:
    """A field, a country or a destination that nobody knows, and a region of no country."""
    places = ("DE,,meta,ip", "UK,,meta,fbp", ",CA,meta,fbp", ",,mate,fbp")
    rows = "".join(f"{place},ours,2026-11-21\n" for place in places)
    told = build(project, "field_policy field_groups destinations countries", 1, field_policy=POLICY + rows)
    for name in ("field_policy_field", "field_policy_country_code", "field_policy_destination"):
        assert re.search(rf"FAIL 1 relationships_{name}", told), name
    assert re.search(r"FAIL 1 withheld_regions_have_a_country", told)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the whole project over three orders, with a policy and a hold time."""
    made = Project.copy(tmp_path_factory.mktemp("built"), {"UPLOADER_NOW": shop.NOW})
    orders = [shop.order("1"), shop.order("2", country_code="FR"), shop.order("3", paid_at="2026-11-20T09:00:00Z")]
    shop.load(made.warehouse, {"orders": orders, "consent": [shop.decision(f"c-{n}") for n in (1, 2, 3)]})
    rows = ",,,date_of_birth_sha256,ours,2026-11-21\nDE,,meta,email_sha256,ours,2026-11-21\n"
    (made.folder / "seeds/field_policy.csv").write_text(POLICY + rows, encoding="utf-8")
    (made.folder / "seeds/event_routes.csv").write_text(ROUTES + "Purchase,meta,120,\n", encoding="utf-8")
    made.dbt("build", *shop.MODELS_ONLY)
    return made.warehouse


def test_the_outbox_says_what_waits_and_what_is_withheld(built: Path) -> None:
    """An order of an hour ago waits for its two hours; a policy without a place is for all, one for Germany is not."""
    found = shop.rows(built, "select event_id, hold_reason, send_after, withheld_fields from fct_conversion_outbox")
    by_id = {row["event_id"]: row for row in found}
    emails = "email_gmail_sha256 email_microsoft_sha256 email_reddit_sha256 email_sha256 email_sha256s"
    assert {name: row["withheld_fields"] for name, row in by_id.items()} == {
        "purchase.1": f" date_of_birth_sha256 {emails} ",
        "purchase.2": " date_of_birth_sha256 ",
        "purchase.3": f" date_of_birth_sha256 {emails} ",
    }
    assert [by_id[f"purchase.{n}"]["hold_reason"] for n in (1, 2, 3)] == ["waiting_period", "waiting_period", None]
    assert f"{by_id['purchase.3']['send_after']}" == "2026-11-20 11:00:00"
