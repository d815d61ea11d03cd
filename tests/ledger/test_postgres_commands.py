"""The commands with a sent log in PostgreSQL, from the first run to a server that is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.delivering import Clock
from tests.support.postgres import Pooler, Server
from tests.support.shop import DATASET, Shop, opened, orders
from uploader.ledger.postgres import PostgresStore

VARIABLE = "SHOP_SENT_LOG"


@pytest.fixture
def shop(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shop]:
    """A shop with three orders to send, whose log is in PostgreSQL."""
    with opened(tmp_path, monkeypatch, capsys) as it:
        monkeypatch.setenv("UPLOADER__LEDGER__URL_ENV", VARIABLE)
        monkeypatch.setenv(VARIABLE, url)
        it.sells(*orders(3))
        yield it


def sent_log(shop: Shop) -> dict[str, str]:
    """Return what doctor found about the sent log."""
    _, found = shop.json("doctor")
    return next(finding for finding in found["findings"] if finding["topic"] == "sent log")


def test_a_shop_keeps_its_log_in_postgresql(shop: Shop, url: str) -> None:
    """Doctor and status know of none, send makes it, both know it; nothing is sent twice, and no file is made."""
    place = f"uploader_sent_log in the PostgreSQL database {urlsplit(url).path[1:]} on 127.0.0.1"
    assert sent_log(shop)["text"] == f"{place} does not exist yet: the first send makes it"
    assert shop.json("status")[1]["destinations"]["meta"]["states"]["acked"] == 0
    assert not PostgresStore(url).exists()
    code, told = shop.json("send")
    assert (code, told["destinations"]["meta"]["acked"]) == (0, 3)
    assert sent_log(shop) == {"topic": "sent log", "level": "ok", "text": f"{place} knows 3 events"}
    assert shop.json("status")[1]["destinations"]["meta"]["states"]["acked"] == 3
    code, told = shop.json("send")
    assert (code, told["destinations"]["meta"]["already"], shop.posted()) == (0, 3, 1)
    assert shop.sql("select count(*), min(state) from sent_log") == [(3, "acked")]
    assert shop.sandbox.counts()[DATASET]["counted"] == 3
    assert not list(shop.folder.glob("sent_log*"))
    code, out = shop.run("explain", "2")
    assert (code, "acked" in out) == (0, True)


def test_a_log_that_was_lost_stops_every_command(shop: Shop, url: str) -> None:
    """Exit 3 and no request: the warehouse's table remembers it. --init begins anew."""
    shop.run("send")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop schema uploader_sent_log cascade")
    shop.sells(*orders(4))
    code, _ = shop.run("send")
    assert (code, shop.posted()) == (3, 1)
    assert "is missing, although the warehouse's table sent_log_meta remembers it" in shop.error
    assert (sent_log(shop)["level"], shop.run("doctor")[0]) == ("fail", 78)
    assert shop.run("send", "--init")[0] == 0
    assert shop.sandbox.counts()[DATASET]["counted"] == 4


def test_a_second_host_is_told_who_is_at_work(shop: Shop, url: str) -> None:
    """Exit 75, and nothing is sent."""
    with PostgresStore(url).locked(Clock()):
        code, _ = shop.run("send")
    assert (code, shop.posted()) == (75, 0)
    assert "Another run holds the lock of uploader_sent_log" in shop.error
    assert "since 2026-11-20T14:00:00Z" in shop.error


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        ({"password": "Can4ry-s3cret"}, 78, "password authentication failed"),
        ({"database": "nowhere"}, 78, 'database "nowhere" does not exist'),
        ({"port": "1"}, 75, "Connection refused"),
        ({"whole": ""}, 78, f"The environment variable {VARIABLE} is not set"),
        ({"whole": "mysql://u:Can4ry-s3cret@h/d"}, 78, "none that PostgreSQL understands"),
    ],
)
def test_a_log_that_cannot_be_reached_is_told_without_its_password(
    shop: Shop, url: str, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], code: int, told: str
) -> None:
    """By every command, in a sentence; doctor tells it among the rest."""
    parts = urlsplit(url)
    wrong = change.get("whole", url.replace(str(parts.port), change.get("port", str(parts.port))))
    wrong = wrong.replace(str(parts.password), change.get("password", str(parts.password)))
    monkeypatch.setenv(VARIABLE, wrong.replace(parts.path, f"/{change['database']}") if "database" in change else wrong)
    said = []
    for command in ("send", "status", "plan"):
        assert shop.run(command)[0] == code
        said.append(shop.error)
    code, out = shop.run("doctor")
    assert code == 78
    said.append(" ".join(out.split()))
    assert [told in text for text in said] == [True] * 4
    assert not [text for text in said if "Can4ry" in text or str(parts.password) in text or "Traceback" in text]
    assert shop.posted() == 0


def test_a_pooler_is_refused_by_send_and_found_by_doctor(
    shop: Shop, url: str, pgbouncer: Pooler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 78 before anything is written or sent."""
    monkeypatch.setenv(VARIABLE, pgbouncer.through(url))
    assert shop.run("send")[0] == 78
    assert "is reached through a pooler" in shop.error
    assert sent_log(shop)["level"] == "fail"
    assert (PostgresStore(url).exists(), shop.posted()) == (False, 0)


def test_two_shops_may_share_a_server(shop: Shop, postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database holds one log; another shop's log in its place is noticed."""
    assert shop.run("send")[0] == 0
    monkeypatch.setenv(VARIABLE, postgres.fresh())
    assert shop.run("send")[0] == 3
    assert shop.posted() == 1
