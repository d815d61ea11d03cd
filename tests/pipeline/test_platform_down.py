"""Several platforms in one run: one that is down, throttled or refuses the token stops no other, and slows none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.shop import Shop, opened, orders

OTHERS = {"reddit": "a2_abc", "pinterest": "5498", "linkedin": "5123"}
COUNT = 30


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """A shop whose orders go to four platforms."""
    with opened(tmp_path, monkeypatch, capsys, dataset_ids=None) as made:
        for name, dataset in OTHERS.items():
            about = f"UPLOADER__DESTINATIONS__{name.upper()}__"
            monkeypatch.setenv(f"{about}DATASET_ID", dataset)
            monkeypatch.setenv(f"{about}BASE_URL", made.sandbox.url)
            monkeypatch.setenv(f"{name.upper()}_ACCESS_TOKEN", made.sandbox.token)
        monkeypatch.setenv("UPLOADER__DESTINATIONS__LINKEDIN__EVENTS__PURCHASE", "104012")
        who = {f"email_{kind}": "a" * 64 for kind in ("sha256", "reddit_sha256")}
        made.sells(
            *(row | who | {"destination": name} for name in ("meta", *OTHERS) for row in orders(COUNT)),
        )
        made.sql("insert into destinations select unnest(['reddit', 'pinterest', 'linkedin']), true")
        yield made


def _acked(told: Any) -> dict[str, int]:
    return {name: found["acked"] for name, found in told["destinations"].items()}


def test_all_of_them_get_every_order(shop: Shop) -> None:
    """Each in its own dialect, and each once."""
    code, told = shop.json("send")
    assert (code, _acked(told)) == (0, dict.fromkeys(["meta", *OTHERS], COUNT))
    assert {found["counted"] for found in shop.sandbox.counts().values()} == {COUNT}
    assert {found["requests"] for found in shop.json("send")[1]["destinations"].values()} == {0}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 503, "headers": {"Retry-After": "600"}}, 75),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "600"}}, 75),
        ({"kind": "status", "status": 401}, 4),
    ],
)
def test_one_that_fails_stops_no_other(shop: Shop, fault: dict[str, Any], code: int) -> None:
    """The others get everything; the exit code tells of the one, and its line says why."""
    shop.sandbox.faults.add(times=1000, platform="reddit", **fault)
    found, told = shop.json("send")
    assert found == code
    assert _acked(told) == dict.fromkeys(["meta", *OTHERS], COUNT) | {"reddit": 0}
    assert "reddit" in told["destinations"]["reddit"]["problem"]
    assert not [name for name in ("meta", "pinterest", "linkedin") if "problem" in told["destinations"][name]]


def test_a_destination_can_be_picked(shop: Shop) -> None:
    """The others are left for another run."""
    _, told = shop.json("send", "--destination", "pinterest")
    assert _acked(told) == {"pinterest": COUNT}
    assert [found["platform"] for found in shop.sandbox.counts().values()] == ["pinterest"]
