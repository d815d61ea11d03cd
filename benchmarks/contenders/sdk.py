"""Meta's own SDK, facebook-business: `python -m benchmarks.contenders.sdk encode|send WAREHOUSE [URL]`.

``encode`` times, per thousand rows, the making of its objects, and what `EventRequest.execute` does with them before it
sends: `get_params`, which normalizes, and JSON for the parameter ``data``. The form's encoding is left out. ``send`` is
the whole of it: `EventRequest.execute` for a thousand events at a time, over the one session that the SDK keeps.

It gets hashed values, which it accepts and passes on. Only gender has to be one of its own constants.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.user_data import UserData
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from benchmarks.contenders.rows import batches
from benchmarks.contenders.timing import Stopwatch


def event(row: dict[str, Any]) -> Event:
    """Make the SDK's objects of one row: thirteen identifiers, address and browser, and two contents."""
    return Event(
        event_name=row["event_name"],
        event_time=row["event_time"],
        event_id=row["event_id"],
        action_source=ActionSource.WEBSITE,
        event_source_url=row["event_source_url"],
        referrer_url=row["referrer_url"],
        user_data=_user_data(row),
        custom_data=_custom_data(row),
    )


def _user_data(row: dict[str, Any]) -> UserData:
    return UserData(
        emails=row["email_sha256s"],
        phones=row["phone_digits_sha256s"],
        first_name=row["first_name_sha256"],
        last_name=row["last_name_sha256"],
        date_of_birth=row["date_of_birth_sha256"],
        gender=Gender.FEMALE,
        city=row["city_sha256"],
        state=row["region_sha256"],
        zip_code=row["postal_code_sha256"],
        country_code=row["country_sha256"],
        external_id=row["external_id_sha256"],
        client_ip_address=row["client_ip"],
        client_user_agent=row["user_agent"],
        fbp=row["fbp"],
        fbc=row["fbc"],
    )


def _custom_data(row: dict[str, Any]) -> CustomData:
    contents = [
        Content(
            product_id=item["id"],
            quantity=item["quantity"],
            item_price=item["item_price"],
            title=item["title"],
            category=item["category"],
        )
        for item in row["contents"]
    ]
    return CustomData(
        value=row["value"],
        currency=row["currency"],
        order_id=row["order_id"],
        contents=contents,
        content_ids=row["content_ids"],
        content_type=row["content_type"],
        num_items=row["num_items"],
    )


def encode(warehouse: str) -> None:
    """Time the way from rows to the parameters of requests."""
    watch = Stopwatch()
    for rows in batches(warehouse):
        with watch.running():
            params = EventRequest(pixel_id="42", events=[event(row) for row in rows]).get_params()
            body = json.dumps(params["data"]).encode()
        watch.events += body.count(b"event_name")
    watch.tell()


def send(warehouse: str, url: str) -> None:
    """Send all rows to a receiver on this machine: the only thing changed is where the SDK's platform is."""
    FacebookSession.GRAPH = url
    FacebookAdsApi.init(access_token="token", crash_log=False)
    watch = Stopwatch()
    with watch.running():
        for rows in batches(warehouse):
            answer = EventRequest(pixel_id="42", events=[event(row) for row in rows]).execute()
            watch.events += answer.events_received
    watch.tell()


if __name__ == "__main__":
    (encode if sys.argv[1] == "encode" else send)(*sys.argv[2:])
