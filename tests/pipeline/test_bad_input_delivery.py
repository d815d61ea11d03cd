"""What a crooked shop may send is taken by the platform at the first try: no bad row poisons a batch."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.crooked_shop import SENDABLE, crooked_shop
from tests.support.dbt_project import NOW, build
from tests.support.shop import DATASET, opened
from uploader.clock import parse_time


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the crooked shop once."""
    return build(tmp_path_factory.mktemp("crooked"), crooked_shop())


def test_every_odd_but_honest_order_is_counted(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing refused, and the sandbox counts each order that may be sent and is not of the future."""
    now = parse_time(NOW, "the test's time")
    # The shop's orders resemble each other, which the gate rightly minds; here the platform is to judge.
    for name in ("MAX_DUPLICATE_RATE", "MAX_OUTLIER_RATE"):
        monkeypatch.setenv(f"UPLOADER__QUALITY__{name}", "1")
    with opened(tmp_path, monkeypatch, capsys, now) as shop:
        shutil.copy(warehouse, shop.warehouse)
        assert shop.run("check")[0] == 0, shop.error
        code, told = shop.json("send")
        meta = told["destinations"]["meta"]
        refused = shop.sandbox.counts()[DATASET]["refused"]
        counted = {event["event_id"] for event in shop.sandbox.counted(DATASET)}
    # One order lies in the hour that is kept before the end of its time: told as expired, exit 2. Another one expires
    # within the hour, so it goes first and alone.
    assert (code, refused, meta["requests"], meta["dead"], meta["expired"]) == (2, {}, 2, 0, 1)
    assert len(counted) == meta["acked"]
    assert meta["acked"] + meta["waiting"] + meta["expired"] == meta["read"] > len(SENDABLE)
