"""What the browser's pixel reported too under another id: listed by an audit model, and judged by the gate if asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.shop import Shop, orders

LIMIT = "UPLOADER__QUALITY__MAX_PIXEL_DUPLICATE_RATE"


def judged(shop: Shop) -> dict[str, Any]:
    """Return what the gate found about the pixel."""
    checks = shop.json("check")[1]["checks"]
    (found,) = [check for check in checks if check["column"] == "pixel_duplicates"]
    return found


@pytest.fixture
def doubled(shop: Shop) -> Shop:
    """A shop with four purchases, of which one is listed with two firings of the pixel."""
    shop.sells(*orders(4))
    shop.sql("create table audit_pixel_duplicates as select unnest(['purchase.1', 'purchase.1']) as event_key")
    return shop


def test_a_shop_that_lists_nothing_is_not_judged(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the audit model nothing is known, which is no reason to stop."""
    monkeypatch.setenv(LIMIT, "0")
    assert (judged(shop)["judged"], shop.run("send")[0]) == (0, 0)


def test_as_shipped_the_share_is_shown_and_stops_nobody(doubled: Shop) -> None:
    """An event with several firings is one event."""
    found = judged(doubled)
    assert (found["unexpected"], found["judged"], found["outcome"]) == (1, 4, "passed")
    assert doubled.run("send")[0] == 0


@pytest.mark.parametrize(("limit", "code"), [("0.25", 0), ("0.24", 65)])
def test_a_share_above_the_limit_stops_the_run(
    doubled: Shop, monkeypatch: pytest.MonkeyPatch, limit: str, code: int
) -> None:
    """The limit itself passes; the message says where to look."""
    monkeypatch.setenv(LIMIT, limit)
    assert doubled.run("send")[0] == code
    assert (doubled.posted() == 0, "audit_pixel_duplicates" in doubled.error) == (code == 65, code == 65)
