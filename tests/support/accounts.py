"""An account at each platform, ready to send: every option has its example, every event an id where it needs one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from uploader.destinations import load
from uploader.destinations.interface import OAUTH1_PARTS, Account, Auth, Secret

TOKEN = "a-token-that-must-not-be-seen"
EVENTS = ("Purchase", "Lead", "AddToCart", "PageView", "Subscribe", "CompleteRegistration", "Search")


def secret(auth: Auth) -> str:
    """Return a secret of the form that a destination asks for."""
    if auth is Auth.OAUTH1:
        return json.dumps({name: f"{TOKEN}-{name}" for name in OAUTH1_PARTS})
    return service_account("https://oauth2.example/token") if auth is Auth.OAUTH2 else TOKEN


@cache
def service_account(token_uri: str) -> str:
    """Return the credentials of a service account that nobody knows."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    about = {"type": "service_account", "client_email": "shop@example.iam", "token_uri": token_uri}
    return json.dumps(about | {"private_key": pem, "private_key_id": "1", "developer_token": f"{TOKEN}-developer"})


def account(name: str, given: Mapping[str, object] | None = None) -> Account:
    """Return an account at a destination. ``given`` overrides ``dataset_id``, ``test_event_code``, options, events."""
    destination, given = load(name), given or {}
    options = {
        key: option.example if option.is_required else option.default for key, option in destination.options.items()
    }
    ids = dict.fromkeys(map(str.lower, EVENTS), destination.event_id_example) if destination.needs_event_ids else {}
    return Account(
        dataset_id=str(given.get("dataset_id", destination.dataset_example)),
        base_url=destination.base_url,
        api_version=destination.api_version,
        token=Secret(secret(destination.auth)),
        test_event_code=given.get("test_event_code"),
        events=ids | {key.lower(): value for key, value in given.get("events", {}).items()},
        options=options | given.get("options", {}),
    )
