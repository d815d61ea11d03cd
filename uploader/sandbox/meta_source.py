"""Meta's rules for single sources of events: apps, conversations, a CRM. They raise a refusal, or name a doubt.

Below https://developers.facebook.com/documentation/ads-commerce/conversions-api/, read 2026-09-12: app-events,
business-messaging, conversion-leads-integration/payload-specification; subcodes as third parties published them.
Not judged, because only Meta knows: whether a page belongs to a click id (2804072), and whether a lead id exists.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from uploader.sandbox import meta_refusal as refuse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uploader.sandbox.meta_event import Event

MESSAGING_EVENTS: Final = frozenset(
    {
        *("Purchase", "LeadSubmitted", "InitiateCheckout", "AddToCart", "ViewContent", "OrderCreated"),
        *("OrderShipped", "OrderDelivered", "OrderCanceled", "OrderReturned", "CartAbandoned"),
        *("QualifiedLead", "RatingProvided", "ReviewProvided"),
    }
)
# One of each group. The documents name Instagram's account in two ways.
CHANNELS: Final[Mapping[str, tuple[frozenset[str], ...]]] = {
    "messenger": (frozenset({"page_id"}), frozenset({"page_scoped_user_id"})),
    "whatsapp": (frozenset({"whatsapp_business_account_id"}), frozenset({"ctwa_clid"})),
    "instagram": (frozenset({"instagram_business_account_id", "ig_account_id"}), frozenset({"ig_sid"})),
}
EXTINFO_LENGTH: Final = 16
LEAD_ID: Final = re.compile(r"[1-9][0-9]{14,16}")


def check_source(event: Event) -> None:
    """Refuse an app or messaging event without what its source requires."""
    if event.action_source == "app":
        _check_app(event.fields.get("app_data", {}))
    if event.action_source == "business_messaging":
        _check_messaging(event)


def check_lead_id(event: Event) -> None:
    """Refuse a lead id that is not a number of 15 to 17 digits."""
    lead_id = event.user_data.get("lead_id")
    if lead_id is not None and not LEAD_ID.fullmatch(str(lead_id)):
        raise refuse.invalid_lead_id()


def warnings(event: Event) -> Iterator[str]:
    """Name what Meta is not known to refuse, although its documents ask for something else."""
    yield from _crm_warnings(event)
    yield from _misplaced(event)
    if event.action_source == "app":
        if "event_id" not in event.fields:
            yield "app_without_event_id"
        if None in event.fields["app_data"]["extinfo"]:
            yield "extinfo_with_null"
    if event.action_source == "business_messaging":
        own = frozenset({"page_id"}).union(*CHANNELS[event.fields["messaging_channel"]])
        foreign = frozenset().union(*(group for groups in CHANNELS.values() for group in groups)) - own
        yield from (f"{key}_of_another_channel" for key in sorted(foreign & event.user_data.keys()))


def _check_app(app_data: Mapping[str, Any]) -> None:
    extinfo = app_data.get("extinfo")
    if "advertiser_tracking_enabled" not in app_data or extinfo is None:
        raise refuse.insufficient("App events require app_data.advertiser_tracking_enabled and extinfo.")
    if len(extinfo) != EXTINFO_LENGTH or extinfo[0] not in ("a2", "i2"):
        raise refuse.insufficient("app_data.extinfo must hold 16 elements and begin with a2 or i2.")
    if not (extinfo[4] or "").strip():
        raise refuse.empty_os_version()


def _check_messaging(event: Event) -> None:
    channel = event.fields.get("messaging_channel")
    if channel is None:
        raise refuse.insufficient("The parameter messaging_channel is required.")
    if event.fields["event_name"] not in MESSAGING_EVENTS:
        raise refuse.not_a_messaging_event(event.fields["event_name"])
    for group in CHANNELS[channel]:
        if not any(str(event.user_data.get(key, "")).strip() for key in group):
            if "ctwa_clid" in group:
                raise refuse.no_messaging_click()
            raise refuse.insufficient(f"The channel {channel} requires user_data.{' or '.join(sorted(group))}.")


def _crm_warnings(event: Event) -> Iterator[str]:
    """Name what the document of a CRM's payload requires and the event lacks."""
    is_generated = event.action_source == "system_generated"
    named = {"event_source", "lead_event_source"} & event.custom_data.keys()
    if not named and not (is_generated and "lead_id" in event.user_data):
        return
    if event.custom_data.get("event_source") != "crm":
        yield "crm_without_event_source"
    if "lead_event_source" not in event.custom_data:
        yield "crm_without_lead_event_source"
    if not is_generated:
        yield "crm_without_system_generated"


def _misplaced(event: Event) -> Iterator[str]:
    """Name keys that stand where the documents do not have them."""
    fields, custom_data, name = event.fields, event.custom_data, event.fields["event_name"]
    places = {
        "app_data_outside_app": "app_data" in fields and event.action_source != "app",
        "anon_id_outside_app": "anon_id" in event.user_data and event.action_source != "app",
        "messaging_channel_outside_messaging": "messaging_channel" in fields
        and event.action_source != "business_messaging",
        "search_string_outside_search": "search_string" in custom_data and name != "Search",
        "status_outside_registration": "status" in custom_data and name != "CompleteRegistration",
        "amount_without_currency": "currency" not in custom_data
        and not {"value", "predicted_ltv", "net_revenue"}.isdisjoint(custom_data),
    }
    yield from (place for place, is_misplaced in places.items() if is_misplaced)
