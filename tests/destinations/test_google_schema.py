"""What leaves for Google, read by Google's own message definitions, which refuse a field that they do not know."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.ads.datamanager_v1 import IngestEventsRequest

from tests.support import golden
from tests.support.accounts import account
from tests.support.frames import event_frame

GOLDEN = sorted((Path(__file__).parent / "golden" / "google").glob("*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_request_is_a_message_of_googles(path: Path) -> None:
    """Every name is known and every value has its type; ids, time, money and click ids arrive as they are meant."""
    case = golden.read(path)
    mine = account("google", case.get("account"))
    body = golden.request(path).body
    request = IngestEventsRequest.from_json(body.decode(), ignore_unknown_fields=False)
    (destination,), (event,) = request.destinations, request.events
    assert destination.operating_account.account_id == mine.dataset_id
    assert destination.product_destination_id == case["place"]
    row = event_frame(case["row"]).row(0, named=True)
    assert event.transaction_id == (row["order_id"] or row["event_id"])
    assert datetime.fromtimestamp(event.event_timestamp.timestamp(), UTC).replace(tzinfo=None) == row["event_at"]
    assert event.conversion_value == float(row["value"] or 0)
    assert event.ad_identifiers.gclid == (row["gclid"] or "")
    assert [one.email_address for one in event.user_data.user_identifiers if one.email_address] == [
        digest for digest in [row["email_gmail_sha256"]] if digest
    ]


def test_an_unknown_field_is_refused() -> None:
    """The definitions judge names: a misspelt one is an error."""
    with pytest.raises(Exception, match="has no field named"):
        IngestEventsRequest.from_json('{"validateOnly": true, "vaildateOnly": true}', ignore_unknown_fields=False)
