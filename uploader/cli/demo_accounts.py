"""The demo's accounts: for every destination the settings and secrets by which the sandbox lets it in."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from string import digits
from typing import TYPE_CHECKING, Final

from uploader.destinations import load
from uploader.destinations.interface import OAUTH1_PARTS, Auth

if TYPE_CHECKING:
    from uploader.sandbox import Sandbox

_ROUTES: Final = Path("seeds") / "event_routes.csv"


def settings_of(name: str, sandbox: Sandbox) -> dict[str, str]:
    """Return environment variables: where the destination is, its examples for ids and options, its secret."""
    destination = load(name)
    about = {"DATASET_ID": destination.dataset_example, "BASE_URL": sandbox.url}
    about |= {f"OPTIONS__{key.upper()}": option.example for key, option in destination.options.items()}
    if destination.needs_event_ids:
        # The last sign makes an id for each event.
        ids = (destination.event_id_example[:-1] + digit for digit in digits[1:])
        about |= {f"EVENTS__{event.upper()}": one for event, one in zip(_routed(name), ids, strict=False)}
    found = {f"UPLOADER__DESTINATIONS__{name.upper()}__{key}": value for key, value in about.items()}
    return found | {destination.token_env: _secret(destination.auth, sandbox)}


def _routed(name: str) -> list[str]:
    with _ROUTES.open(encoding="utf-8", newline="") as file:
        return [row["event_name"] for row in csv.DictReader(file) if row["destination"] == name]


def _secret(auth: Auth, sandbox: Sandbox) -> str:
    if auth is Auth.OAUTH1:
        return json.dumps(dict.fromkeys(OAUTH1_PARTS, sandbox.token))
    if auth is Auth.OAUTH2:
        about = {"type": "authorized_user", "token_uri": f"{sandbox.url}/token"}
        secrets = ("client_id", "client_secret", "refresh_token", "developer_token")
        return json.dumps(about | dict.fromkeys(secrets, sandbox.token))
    return sandbox.token
