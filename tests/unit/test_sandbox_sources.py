"""The sandbox's rules for single sources: apps, conversations, CRMs; and the fields of every kind of event."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox_events import EXTINFO, HASH, app_event, judge, message, purchase, stage
from uploader.sandbox.meta_source import CHANNELS

CRM = {"event_source": "crm", "lead_event_source": "HubSpot"}
MESSENGER = {"page_id": "104880001234567", "page_scoped_user_id": "6012345678901234"}
WHATSAPP = {"whatsapp_business_account_id": "109870001234567", "ctwa_clid": "AfcExampleClick-0123456789"}
INSTAGRAM = {"instagram_business_account_id": "17841400001234567", "ig_sid": "1250001234567890"}


def lead(lead_id: Any) -> dict[str, Any]:
    """Make a lead of the website with this id."""
    return purchase(event_name="Lead", user_data={"lead_id": lead_id, "client_user_agent": "M"}, custom_data=None)


def extinfo(place: int, element: Any) -> list[Any]:
    """Change one element of a device's description."""
    return [*EXTINFO[:place], element, *EXTINFO[place + 1 :]]


def named(name: str, **custom_data: Any) -> dict[str, Any]:
    """Make an event of the website with these custom fields alone."""
    return purchase(event_name=name, custom_data=custom_data)


@pytest.mark.parametrize(
    "event",
    [
        message("messenger", **MESSENGER),
        message("whatsapp", **WHATSAPP),
        message("whatsapp", **WHATSAPP, page_id="104880001234567"),
        message("instagram", **INSTAGRAM),
        message("instagram", ig_account_id="17841400001234567", ig_sid="1250001234567890"),
        message("messenger", "LeadSubmitted", **MESSENGER),
        app_event(),
        app_event(user_data={"madid": "5b1f0a34-6c2d-4e8f-9a70-1d2e3f405162", "anon_id": "12345-ABC"}),
        stage(**CRM),
        stage("ClosedWon", **CRM, value=900, currency="USD"),
        lead(525645896321548),
        lead("52564589632154812"),
        named("Search", search_string="cast-iron pan", content_category="Kitchen"),
        named("CompleteRegistration", status=True, content_name="Newsletter"),
        named("StartTrial", value=0, currency="EUR", predicted_ltv=96.5),
        named("Subscribe", value=8, currency="EUR", customer_segmentation="new_customer_to_business"),
        named("Purchase", value=8, currency="EUR", net_revenue=-2.5, item_number="1"),
    ],
)
def test_every_kind_of_event_is_taken(event: dict[str, Any]) -> None:
    """What the documents describe is accepted, without a doubt."""
    judged = judge(event)
    assert (judged.refusal, dict(judged.warnings)) == (None, {})


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("100/2804036", lead(12345678901234)),
        ("100/2804036", lead(123456789012345678)),
        ("100/2804036", lead(0)),
        ("100/2804036", lead("025645896321548")),
        ("100/2804036", lead("L-525645896321548")),
        ("100", lead(525645896321548.5)),
        ("100", lead(True)),
        ("100/2804043", app_event(extinfo=extinfo(4, ""))),
        ("100/2804043", app_event(extinfo=extinfo(4, " "))),
        ("100/2804043", app_event(extinfo=extinfo(4, None))),
        ("100", app_event(extinfo=extinfo(0, "a1"))),
        ("100", app_event(extinfo=[*EXTINFO, ""])),
        ("100", app_event(extinfo=EXTINFO[:15])),
        ("100", app_event(extinfo=extinfo(9, 1080))),
        ("100", app_event(app_data={"extinfo": EXTINFO})),
        ("100", app_event(app_data={"advertiser_tracking_enabled": 2, "extinfo": EXTINFO})),
        ("100", app_event(app_data={"advertiser_tracking_enabled": 1, "extinfo": EXTINFO, "madid": "x"})),
        ("100", app_event(advertiser_tracking_enabled=1)),
        ("100", message("telegram", **MESSENGER)),
        ("100", message("messenger", page_id="104880001234567")),
        ("100", message("instagram", ig_sid="1250001234567890")),
        ("100", message("whatsapp", ctwa_clid="AfcExample")),
        ("100/2804087", message("whatsapp", whatsapp_business_account_id="109870001234567")),
        ("100/2804087", message("whatsapp", **WHATSAPP | {"ctwa_clid": " "})),
        ("100/2804066", message("messenger", "Lead", **MESSENGER)),
        ("100/2804066", message("messenger", "QualifiedLeads", **MESSENGER)),
        ("100", purchase(action_source="business_messaging", user_data=MESSENGER)),
        ("100", purchase(lead_id=525645896321548)),
        ("100", purchase(event_source="crm")),
        ("100", named("Lead", customer_segmentation="new")),
        ("100", named("Lead", predicted_ltv=-1)),
        ("100", named("Lead", net_revenue="much")),
        ("100", named("Lead", status=1)),
        ("100", named("Search", search_string="")),
        ("100", stage(event_source="", lead_event_source="HubSpot")),
    ],
)
def test_what_a_source_requires_is_required(code: str, event: dict[str, Any]) -> None:
    """Each rule refuses with its code."""
    refusal = judge(event).refusal
    assert refusal is not None
    assert refusal.label == code


@pytest.mark.parametrize(
    ("warning", "event"),
    [
        ("crm_without_event_source", stage(lead_event_source="HubSpot")),
        ("crm_without_event_source", stage(event_source="sales", lead_event_source="HubSpot")),
        ("crm_without_lead_event_source", stage(event_source="crm")),
        ("crm_without_system_generated", purchase(event_name="ClosedWon", custom_data=CRM)),
        ("app_without_event_id", {key: value for key, value in app_event().items() if key != "event_id"}),
        ("extinfo_with_null", app_event(extinfo=extinfo(8, None))),
        ("ig_sid_of_another_channel", message("messenger", **MESSENGER, ig_sid="1250001234567890")),
        ("ctwa_clid_of_another_channel", message("instagram", **INSTAGRAM, ctwa_clid="AfcExample")),
        ("app_data_outside_app", purchase(app_data={"extinfo": EXTINFO})),
        ("anon_id_outside_app", purchase(user_data={"em": HASH, "client_user_agent": "M", "anon_id": "1"})),
        ("messaging_channel_outside_messaging", purchase(messaging_channel="whatsapp")),
        ("search_string_outside_search", named("ViewContent", search_string="pan")),
        ("status_outside_registration", named("Lead", status="done")),
        ("amount_without_currency", named("StartTrial", predicted_ltv=96.5)),
    ],
)
def test_what_the_documents_ask_for_and_meta_takes_is_a_warning(warning: str, event: dict[str, Any]) -> None:
    """No refusal is known for it: the event is taken, and the doubt is named."""
    judged = judge(event)
    assert (judged.refusal, dict(judged.warnings)) == (None, {warning: 1})


def test_a_lead_that_the_crm_made_up_is_no_crm_event_without_its_marks() -> None:
    """A lead id that the system sent without saying that it is a CRM lacks both marks."""
    assert set(judge(stage()).warnings) == {"crm_without_event_source", "crm_without_lead_event_source"}


def test_a_renewal_is_no_crm_event() -> None:
    """The system made it, but nothing says that it is about a lead."""
    renewal = purchase(action_source="system_generated", event_source_url=None, user_data={"subscription_id": "S-1"})
    assert dict(judge(renewal).warnings) == {}


def test_every_channel_has_ids_of_its_own() -> None:
    """No id belongs to two channels, so that one of another channel can be told."""
    groups = [key for channel in CHANNELS.values() for group in channel for key in group]
    assert len(groups) == len(set(groups))
