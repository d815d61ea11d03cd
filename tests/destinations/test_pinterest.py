"""Pinterest: what its documents say beside the events and answers of the golden files."""

from __future__ import annotations

import pytest

from tests.support.accounts import account
from uploader.destinations.pinterest import DESTINATION
from uploader.sandbox.platforms import pinterest as stand_in


def test_a_rehearsal_is_marked_in_the_address() -> None:
    """The same path, asked for test mode; the body stays as it is."""
    real, rehearsal = (
        DESTINATION.request(account("pinterest", given), b"{}") for given in ({}, {"test_event_code": "any"})
    )
    assert real.url == "https://api.pinterest.com/v5/ad_accounts/549755885175/events"
    assert rehearsal.url == f"{real.url}?test=true"
    assert real.body == rehearsal.body == b'{"data":[{}]}'


@pytest.mark.parametrize("name", sorted({*DESTINATION.event_names.values(), "custom"}))
def test_every_name_is_one_of_the_description(name: str) -> None:
    """A name that it does not list would be taken, and shown nowhere."""
    assert name in stand_in.NAMES
