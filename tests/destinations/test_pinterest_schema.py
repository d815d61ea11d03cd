"""What leaves for Pinterest, read by the models of Pinterest's own client, which know each field and its type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_generated.pinterest_client.configuration import Configuration
from openapi_generated.pinterest_client.exceptions import ApiTypeError, ApiValueError
from openapi_generated.pinterest_client.model.conversion_events import ConversionEvents
from openapi_generated.pinterest_client.model_utils import OpenApiModel, validate_and_convert_types

from tests.support.golden import request

GOLDEN = {path.stem: path for path in sorted((Path(__file__).parent / "golden" / "pinterest").glob("*.json"))}
NOBODY = "nobody"
"""The case without any of the identifiers of which Pinterest wants one; the models hold such a row."""


def sent(name: str) -> dict[str, Any]:
    """Return the body of a golden case's request."""
    body: dict[str, Any] = json.loads(bytes(request(GOLDEN[name]).body))
    return body


def read(body: dict[str, Any]) -> ConversionEvents:
    """Read a body as Pinterest's client does; a field whose name it does not know it lets pass."""
    found: ConversionEvents = validate_and_convert_types(
        body, (ConversionEvents,), ["body"], spec_property_naming=True, _check_type=True, configuration=Configuration()
    )
    return found


def unknown(found: object, path: str = "") -> Iterator[str]:
    """Name the fields that the client does not know."""
    if isinstance(found, list):
        for one in found:
            yield from unknown(one, path)
    elif isinstance(found, OpenApiModel):
        for name in found.to_dict():
            if name not in type(found).openapi_types:
                yield f"{path}{name}"
            yield from unknown(found.get(name), f"{path}{name}.")


@pytest.mark.parametrize("name", sorted(GOLDEN.keys() - {NOBODY}))
def test_a_request_is_what_pinterests_client_sends(name: str) -> None:
    """Every value has its type, and every field is known, but for one that only other integrations name."""
    assert set(unknown(read(sent(name)))) <= {"data.custom_data.predicted_ltv"}


def test_nobody_is_refused() -> None:
    """The client wants an e-mail address, a device's id, or address and browser; so do the models of the outbox."""
    with pytest.raises(ApiValueError, match="UserData"):
        read(sent(NOBODY))


def test_the_client_judges_names_and_types() -> None:
    """A misspelt field is noticed, at any depth, and so is a number where Pinterest wants a text."""
    body = sent("web_full")
    event = body["data"][0]
    event["custom_data"]["valeu"] = event["event_tyme"] = "1"
    assert set(unknown(read(body))) == {"data.event_tyme", "data.custom_data.valeu"}
    body = sent("web_full")
    body["data"][0]["custom_data"]["value"] = 64.97
    with pytest.raises(ApiTypeError):
        read(body)
