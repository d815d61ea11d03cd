"""drt, a sender of warehouse rows: `python -m benchmarks.contenders.drt encode|send WAREHOUSE [URL [BATCH]]`.

``encode`` times, per thousand rows, its builder `drt.destinations.meta_conversions._build_event` and then JSON for the
body as its HTTP client (httpx) writes it. ``send`` is its command `drt run`: it reads DuckDB, builds, and posts a
thousand events at a time, or as many as are in a batch; its pace limit is off, its batches are as large as it is told.

Its builder knows six identifiers and no contents, so its events are smaller than ours; and it hashes e-mail address
and phone number itself, so that here it hashes hashes, which costs the same.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

import httpx
from drt.config.models import MetaConversionsDestinationConfig
from drt.destinations import meta_conversions

from benchmarks.contenders.rows import batches
from benchmarks.contenders.timing import Stopwatch

QUERY: Final = (
    "select events.event_id, events.event_name, epoch(events.event_at)::bigint as event_time, "
    "events.event_source_url, events.email_sha256, events.phone_digits_sha256, events.client_ip, events.user_agent, "
    "events.fbc, events.fbp, events.value::double as value from fct_conversion_events as events inner join "
    "fct_conversion_outbox as outbox on outbox.event_key = events.event_key where outbox.is_sendable"
)
DESTINATION: Final[dict[str, Any]] = {
    "type": "meta_conversions",
    "pixel_id": "42",
    "access_token_env": "META_ACCESS_TOKEN",
    "event_name_field": "event_name",
    "event_time_field": "event_time",
    "event_id_field": "event_id",
    "event_source_url_field": "event_source_url",
    "email_field": "email_sha256",
    "phone_field": "phone_digits_sha256",
    "client_ip_address_field": "client_ip",
    "client_user_agent_field": "user_agent",
    "fbc_field": "fbc",
    "fbp_field": "fbp",
    "value_field": "value",
    "currency": "EUR",
}
SYNC: Final[dict[str, Any]] = {"mode": "full", "rate_limit": {"requests_per_second": 0}}


def encode(warehouse: str) -> None:
    """Time the way from rows to bodies."""
    config = MetaConversionsDestinationConfig(**DESTINATION)
    watch = Stopwatch()
    for rows in batches(warehouse, QUERY):
        with watch.running():
            events = [meta_conversions._build_event(row, config) for row in rows]  # noqa: SLF001 - its builder
            body = httpx.Request("POST", "http://127.0.0.1/", json={"data": events}).content
        watch.events += body.count(b"event_name")
    watch.tell()


def send(warehouse: str, url: str, batch: str = "") -> None:
    """Run drt's own command in the current folder; the only thing changed is where the platform is.

    ``batch``: the rows of a batch, instead of drt's own number.
    """
    import yaml
    from drt.cli.main import app

    meta_conversions._BASE_URL = url  # noqa: SLF001 - there is no setting for it
    settings = Path(os.environ["HOME"]) / ".drt"
    settings.mkdir(exist_ok=True)
    (settings / "profiles.yml").write_text(yaml.safe_dump({"bench": {"type": "duckdb", "database": warehouse}}))
    Path("drt_project.yml").write_text(yaml.safe_dump({"name": "bench", "version": "0.1", "profile": "bench"}))
    Path("syncs").mkdir(exist_ok=True)
    pace = SYNC | ({"batch_size": int(batch)} if batch else {})
    sync = {"name": "purchases", "model": QUERY, "destination": DESTINATION, "sync": pace}
    Path("syncs/purchases.yml").write_text(yaml.safe_dump(sync))
    app(["run", "--output", "json"])


if __name__ == "__main__":
    (encode if sys.argv[1] == "encode" else send)(*sys.argv[2:])
