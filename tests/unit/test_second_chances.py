"""Whole lives of events that a person gave a second chance: every step is there to be explained."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.delivering import NOW, Platform, World
from tests.support.delivering import orders as rows
from tests.support.sent_logs import ENGINES, place
from tests.support.shop import DATASET, Shop, opened, orders
from uploader.ledger import Store
from uploader.transport import Answer

ADA = f"ada@{socket.gethostname()}"
BAD = {"external_id_sha256": None, "user_agent": "Only/1.0"}
"""What Meta refuses by itself: too little to find a person."""


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """The place of the shop's sent log."""
    return place(request.param, request, tmp_path)


def later(shop: Shop, monkeypatch: pytest.MonkeyPatch, **span: float) -> None:
    """Let time pass for the shop and its platform."""
    now = NOW + timedelta(**span)
    monkeypatch.setenv("UPLOADER_NOW", now.isoformat())
    shop.sandbox.set_clock(now)


def story(shop: Shop, event_id: str) -> list[tuple[str, str, bool]]:
    """Return an event's states, reasons, and whether Ada decided, as explain tells."""
    told = shop.json("explain", event_id)[1]["events"][0]["destinations"]["meta"]["delivery"]
    assert all(entry["at"] for entry in told)
    return [(entry["state"], entry["reason"], entry["by"] == ADA) for entry in told]


@dataclass
class Placed(World):
    """A shop's delivery into a given place."""

    at: Store | None = None

    def store(self) -> Store:
        """Return the place of the sent log."""
        assert self.at is not None
        return self.at


def test_a_lost_answer_is_resolved_and_sent_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In doubt, held past the window, released by a person, accepted: and each step is there to be explained."""
    monkeypatch.setenv("LOGNAME", "ada")
    world = Placed(tmp_path, Platform(lambda _: Answer(500, b"", {})), at=store)
    world.run(rows(1))
    with opened(tmp_path, monkeypatch, capsys) as shop:
        later(shop, monkeypatch, hours=49)
        shop.sells(*orders(1, as_of="2026-11-22T14:30:00"))
        assert (shop.run("send")[0], shop.posted()) == (2, 0)
        later(shop, monkeypatch, hours=50)
        assert shop.run("resolve", "--as", "resend", "purchase.1")[0] == 0
        later(shop, monkeypatch, hours=51)
        assert shop.json("send")[1]["destinations"]["meta"]["acked"] == 1
        assert [event["event_id"] for event in shop.sandbox.counted(DATASET)] == ["purchase.1"]
        assert story(shop, "purchase.1") == [
            ("intent", None, False),
            ("held", "past_dedup_window", False),
            ("released", "resolved_resend", True),
            ("acked", None, False),
        ]


def test_a_refused_event_is_mended_and_sent_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dead, its row mended, requeued by a person, accepted with the row of today."""
    monkeypatch.setenv("LOGNAME", "ada")
    with opened(tmp_path, monkeypatch, capsys) as shop:
        shop.sells(*orders(9), orders(10)[9] | BAD)
        assert shop.json("send")[1]["destinations"]["meta"]["dead"] == 1
        shop.sells(*orders(10))
        later(shop, monkeypatch, hours=1)
        assert shop.json("send")[1]["destinations"]["meta"]["already"] == 10
        assert shop.run("requeue", "--reason", "2804050")[0] == 0
        later(shop, monkeypatch, hours=2)
        assert shop.json("send")[1]["destinations"]["meta"]["acked"] == 1
        assert len(shop.sandbox.counted(DATASET)) == 10
        told = story(shop, "purchase.10")
    assert told[-3:] == [("dead", "100/2804050", False), ("released", "requeued", True), ("acked", None, False)]
    assert shop.sql("select state from sent_log where event_id = 'purchase.10'") == [("acked",)]
