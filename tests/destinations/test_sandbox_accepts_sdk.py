"""Meta's own Python SDK, over real HTTP, is an outside witness that the sandbox takes what Meta takes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.app_data import AppData
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.event_request_async import EventRequestAsync
from facebook_business.adobjects.serverside.extended_device_info import ExtendedDeviceInfo
from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.user_data import UserData
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from uploader.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DATASET = "1234567890"
EVERYBODY = UserData(
    emails=["Jane.Doe@Example.com ", "jane@example.org"],
    phones=["+49 30 23125 042"],
    genders=[Gender.FEMALE],
    dates_of_birth=["19910307"],
    last_names=["Müller"],
    first_names=["Zoë"],
    cities=["Köln"],
    states=["Nordrhein-Westfalen"],
    country_codes=["DE"],
    zip_codes=["50667"],
    external_ids=["C-4321"],
    client_ip_address="2001:db8::7",
    client_user_agent="Mozilla/5.0",
    fbc="fb.1.1768400000000.IwAR0aB-c_D",
    fbp="fb.1.1768400000000.1098115397",
    subscription_id="sub-1",
    lead_id="123456789012345",
)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Run a sandbox, and the SDK pointed to it by its one constant."""
    with Sandbox(dataset_ids=[DATASET], clock=lambda: NOW) as running:
        monkeypatch.setattr(FacebookSession, "GRAPH", running.url)
        monkeypatch.setattr(FacebookAdsApi, "_default_api", None)
        api = FacebookAdsApi.init(access_token=running.token, crash_log=False)
        yield running
        api._session.requests.close()


def purchase(number: int, **changes: Any) -> Event:
    """Make an event of the SDK."""
    contents = [Content(product_id="HP-1002", quantity=2, item_price=12.25, title='Cast-iron pan 12"')]
    return Event(
        **{
            "event_name": "Purchase",
            "event_time": int(NOW.timestamp()) - 3600,
            "event_id": f"purchase.{number}",
            "event_source_url": "https://shop.example.com/de/",
            "action_source": ActionSource.WEBSITE,
            "user_data": EVERYBODY,
            "custom_data": CustomData(
                value=24.5, currency="EUR", contents=contents, content_type="product", order_id=str(number)
            ),
        }
        | changes
    )


def test_a_batch_of_the_sdk_is_counted(sandbox: Sandbox) -> None:
    """Form-encoded JSON texts in JSON, token in the query: all fields arrive, and each event counts once."""
    response = EventRequest(DATASET, events=[purchase(number) for number in range(50)]).execute()
    figures = sandbox.counts()[DATASET]
    assert (response.events_received, figures["counted"], figures["warnings"]) == (50, 50, {})
    assert figures["value"] == {"EUR": 1225}
    assert set(sandbox.counted(DATASET)[0]["user_data"]) == {
        *("em", "ph", "ge", "db", "ln", "fn", "ct", "st", "zp", "country", "external_id", "subscription_id"),
        *("client_ip_address", "client_user_agent", "fbc", "fbp", "lead_id"),
    }


def test_every_source_of_the_sdk_is_counted(sandbox: Sandbox) -> None:
    """Each action source that needs no more than a purchase has is taken, and an app event with its device."""
    simple = [source for source in ActionSource if source.value not in ("app", "business_messaging")]
    device = ExtendedDeviceInfo(ext_info_version="a2", os_version="15")
    app = purchase(99, action_source=ActionSource.APP, app_data=AppData(
        advertiser_tracking_enabled=True, extinfo=device))  # fmt: skip
    events = [purchase(number, action_source=source) for number, source in enumerate(simple)]
    assert EventRequest(DATASET, events=[*events, app]).execute().events_received == len(simple) + 1
    found = {event["action_source"] for event in sandbox.counted(DATASET)}
    assert found == {source.value for source in ActionSource} - {"business_messaging"}


def test_the_asynchronous_client_is_counted(sandbox: Sandbox) -> None:
    """The SDK's other client posts a JSON array of objects in a form, with the token in the form."""
    request = EventRequestAsync(DATASET, events=[purchase(1), purchase(2)], test_event_code="TEST1")
    assert asyncio.run(request.execute()).events_received == 2
    assert sandbox.counts()[DATASET]["test"]["counted"] == 2
    assert sandbox.requests()[0]["token_from"] == "body"


def test_a_repeated_batch_is_counted_once(sandbox: Sandbox) -> None:
    """A second execution of the same request is answered alike and counts nothing."""
    request = EventRequest(DATASET, events=[purchase(1)])
    assert [request.execute().events_received for _ in range(2)] == [1, 1]
    assert sandbox.counts()[DATASET]["duplicates"] == 1


@pytest.mark.parametrize(
    ("event", "subcode"),
    [
        (purchase(1, event_time=int(NOW.timestamp()) - 8 * 86400), 2804003),
        (purchase(1, event_time=int(NOW.timestamp() * 1000)), 2804003),
        (purchase(1, user_data=UserData(client_user_agent="Mozilla/5.0")), 2804050),
    ],
)
def test_the_sdk_reads_the_refusals(sandbox: Sandbox, event: Event, subcode: int) -> None:
    """The error bodies are what the SDK expects of Meta."""
    with pytest.raises(FacebookRequestError) as caught:
        EventRequest(DATASET, events=[purchase(2), event]).execute()
    assert (caught.value.api_error_code(), caught.value.api_error_subcode()) == (100, subcode)
    assert sandbox.counted(DATASET) == []


def test_the_sdk_reads_a_wrong_token(sandbox: Sandbox) -> None:
    """A token that is not the sandbox's is refused as Meta refuses it."""
    api = FacebookAdsApi.init(access_token="another", crash_log=False)
    with pytest.raises(FacebookRequestError) as caught:
        EventRequest(DATASET, events=[purchase(1)]).execute()
    api._session.requests.close()
    assert (caught.value.http_status(), caught.value.api_error_code()) == (401, 190)
