"""What the golden files of `tests/destinations/golden` become: one row, and the request that it leaves in."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.accounts import account
from tests.support.frames import event_frame
from uploader.destinations import load
from uploader.destinations.interface import Request
from uploader.encode import encode


def read(path: Path) -> dict[str, Any]:
    """Return a case; its numbers keep their digits."""
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return case


def request(path: Path) -> Request:
    """Return the request that a case's row leaves in."""
    case, name = read(path), path.parent.name
    destination, mine = load(name), account(name, case.get("account"))
    encoded = encode(event_frame(case["row"]), destination.body(mine))
    return destination.request(mine, encoded.joined(0, 1), case.get("place", ""))
