"""What `uploader status` tells people and programs, with the warehouse and without it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.delivering import NOW, Clock, World
from tests.support.delivering import orders as rows
from tests.support.sent_logs import ENGINES, META, dead, held, judged, place, sent
from tests.support.shop import Shop, opened, orders
from uploader.delivery.exposure import early_alarm, exposure
from uploader.ledger import Breaker, Ledger, SqliteStore, State, guarded
from uploader.report import aligned, lasting, packed, printable


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shop]:
    """A shop that sold three things and sent nothing."""
    with opened(tmp_path, monkeypatch, capsys) as it:
        it.sells(*orders(3))
        yield it


@pytest.fixture
def ledger(shop: Shop) -> Iterator[Ledger]:
    """The shop's sent log, open for writing."""
    with guarded(SqliteStore(shop.folder / "sent_log.sqlite"), Clock(), "run", None) as it:
        yield it


@pytest.mark.parametrize("engine", ENGINES)
def test_status_tells_of_every_state(engine: str, shop: Shop, request: pytest.FixtureRequest) -> None:
    """Zeros too; ages and reasons of what there is; the same from either engine."""
    with guarded(place(engine, request, shop.folder), Clock(), "run", None) as ledger:
        ledger.settle(sent(ledger, ["a", "b"], hours_ago=30), State.ACKED)
        held(ledger, ["c"], hours_ago=50)
        dead(ledger, "d")
        sent(ledger, ["e"])
        ledger.pause(META, NOW + timedelta(minutes=9))
        ledger.record_breaker(META, Breaker(5, NOW + timedelta(minutes=5)))
    told = shop.json("status")[1]["destinations"]["meta"]
    states = {"intent": 1, "released": 0, "acked": 2, "dead": 1, "expired": 0, "held": 1, "suppressed": 0}
    assert (told["destination_id"], told["states"], told["in_doubt"]) == ("meta:42", states, 1)
    assert told["ages"]["acked"] == {"oldest_event_at": "2026-11-19T08:00:00Z", "since": "2026-11-20T14:00:00Z"}
    assert told["ages"]["held"]["oldest_event_at"] == "2026-11-18T12:00:00Z"
    assert [(line["state"], line["reason"], line["rows"], line["examples"]) for line in told["trouble"]] == [
        ("intent", None, 1, ["e"]),
        ("dead", "100/2804050", 1, ["d"]),
        ("held", "past_dedup_window", 1, ["c"]),
    ]
    assert told["trouble"][1]["trace_ids"] == ["Atrace"]
    assert told["not_before"] == "2026-11-20T14:09:00Z"
    assert told["breaker"] == {"failures": 5, "open_until": "2026-11-20T14:05:00Z"}


def test_status_tells_what_expires_soon_and_its_value(shop: Shop, ledger: Ledger) -> None:
    """Of what is due, in doubt, released or held: the next six hours and the next day, by currency."""
    due, released, kept, acked, far = orders(5)
    shop.sells(
        due | {"expires_at": "2026-11-20T15:30:00", "value": "7.5", "event_at": "2026-11-13T16:30:00"},
        released | {"expires_at": "2026-11-20T20:00:00", "value": "900", "currency": "JPY"},
        kept | {"expires_at": "2026-11-21T14:00:00", "value": "2.5"},
        acked | {"expires_at": "2026-11-20T15:00:00", "value": "1000"},
        far | {"expires_at": "2026-11-26T11:00:00", "value": "1000"},
    )
    ledger.settle(sent(ledger, ["purchase.2"]), State.RELEASED, "4")
    held(ledger, ["purchase.3"])
    ledger.settle(sent(ledger, ["purchase.4"]), State.ACKED)
    told = shop.json("status")[1]["destinations"]["meta"]
    assert told["open_unknown"] is None
    assert {state: (row["events"], row["nearest_expiry"]) for state, row in told["open"]["states"].items()} == {
        "due": (2, "2026-11-20T15:30:00Z"),
        "released": (1, "2026-11-20T20:00:00Z"),
        "held": (1, "2026-11-21T14:00:00Z"),
    }
    assert told["open"]["at_risk"] == {
        "6": {"events": 2, "value": {"EUR": "7.5000", "JPY": "900.0000"}},
        "24": {"events": 3, "value": {"EUR": "10.0000", "JPY": "900.0000"}},
    }
    assert told["open"]["older_than_5_days"] == 1


def test_status_without_a_warehouse_tells_the_rest(shop: Shop, ledger: Ledger) -> None:
    """What the sent log knows, and why the rest is not known."""
    held(ledger, ["c"])
    shop.warehouse.unlink()
    code, told = shop.json("status")
    meta = told["destinations"]["meta"]
    assert (code, meta["states"]["held"], meta["open"]) == (0, 1, None)
    assert "There is no warehouse" in meta["open_unknown"]
    assert "not known: There is no warehouse" in shop.run("status")[1]


def test_status_does_not_wait_for_a_busy_warehouse(shop: Shop, ledger: Ledger) -> None:
    """While another process writes to it, status answers at once from the sent log."""
    held(ledger, ["c"])
    script = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(shop.warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as dbt:
        assert dbt.stdout is not None
        assert dbt.stdout.readline() == "open\n"
        meta = shop.json("status")[1]["destinations"]["meta"]
        dbt.communicate("")
    assert (meta["states"]["held"], "busy" in meta["open_unknown"]) == (1, True)


def test_status_before_the_first_run(shop: Shop) -> None:
    """There is no sent log yet, and what is due is known."""
    told = shop.json("status")[1]["destinations"]["meta"]
    assert (set(told["states"].values()), told["open"]["states"]["due"]["events"]) == ({0}, 3)
    assert "nothing was sent yet" in shop.run("status")[1]
    assert list(shop.folder.glob("sent_log*")) == []


def test_status_lists_the_keys_that_wait_for_a_person(shop: Shop, ledger: Ledger) -> None:
    """Held and dead ones with reason, age, run and trace; as many as asked for, and how many there are."""
    held(ledger, ["c1", "c2", "c3"], hours_ago=50)
    dead(ledger, "d")
    meta = shop.json("status", "--held", "--dead", "--limit", "2")[1]["destinations"]["meta"]
    assert [key["event_id"] for key in meta["listed"]["held"]] == ["c1", "c2"]
    assert meta["listed"]["dead"] == [
        {
            "event_name": "Purchase",
            "event_id": "d",
            "event_at": "2026-11-20T12:00:00Z",
            "reason": "100/2804050",
            "since": "2026-11-20T14:00:00Z",
            "run_id": "run",
            "trace_id": "Atrace",
            "decided_by": "run",
        }
    ]
    told = shop.run("status", "--held", "--limit", "2")[1]
    assert [word in told for word in ("3 held", "… and 1 more", "Purchase c2", "Purchase c3")] == [True] * 3 + [False]
    assert "Purchase d" not in told


def test_status_of_one_destination(shop: Shop, ledger: Ledger) -> None:
    """A dataset that is not configured any more goes by its id; an unknown name is wrong use."""
    sent(ledger, ["a"], to="meta:41")
    assert list(shop.json("status")[1]["destinations"]) == ["meta", "meta:41"]
    assert list(shop.json("status", "--destination", "meta:41")[1]["destinations"]) == ["meta:41"]
    code, told = shop.json("status", "--destination", "nowhere")
    assert (code, "There are: meta, meta:41" in told["error"]) == (64, True)


def test_what_is_printed_obeys_nobody_and_stays_whole(shop: Shop, ledger: Ledger) -> None:
    """An id with an escape, a mark of direction, a line end or a word in brackets is shown, on one line."""
    held(ledger, ["evil\x1b[31m\u202e\u2028:smile:[bold]", "x" * 150])
    for words in (["status"], ["status", "--held"]):
        told = shop.run(*words)[1]
        assert "evil\\x1b[31m\\u202e\\u2028:smile:[bold]" in told
        assert ("x" * 150 in told, "\x1b" in told, "\u2028" in told) == (True, False, False)
        assert [line for line in told.splitlines() if len(line) > 110 and "x" * 150 not in line] == []


def test_status_is_json_for_any_id(shop: Shop, ledger: Ledger) -> None:
    """Programs get ids as they are."""
    judged(ledger, ["evil\x1b\u2028"], State.SUPPRESSED, "pixel_window")
    code, out = shop.run("status", "--json")
    assert json.loads(out)["destinations"]["meta"]["trouble"][0]["examples"] == ["evil\x1b\u2028"]
    assert (code, len(out.splitlines()) > 1) == (0, True)


# ---------------------------------------------------------------- the early alarm


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop's delivery in process."""
    return World(tmp_path)


def test_what_waits_for_more_than_five_days_is_told(world: World) -> None:
    """Two days before Meta stops accepting it; not before, and not once it is sent."""
    old = rows(3, event_at="2026-11-15T13:59:00", expires_at="2026-11-22T12:59:00")
    young = rows(3, event_at="2026-11-15T14:01:00", expires_at="2026-11-22T13:01:00")
    with world.ledger() as ledger:
        told = early_alarm(world.plan(ledger, old), ledger, world.clock())
        assert told == "meta: 3 events older than 5 days not sent yet; the first expires 2026-11-22 12:59:00 UTC."
        assert early_alarm(world.plan(ledger, young), ledger, world.clock()) is None
        before = world.plan(ledger, old)
    world.run(old)
    with world.ledger() as ledger:
        assert early_alarm(before, ledger, world.clock()) is None
        assert exposure(world.plan(ledger, old), world.clock()).waiting_long == 0


def test_what_was_tried_in_vain_is_still_told(world: World) -> None:
    """Released and in doubt are not sent; held is a person's, and dead is over."""
    old = rows(4, event_at="2026-11-15T13:59:00", expires_at="2026-11-22T12:59:00")
    with world.ledger() as ledger:
        ledger.settle(sent(ledger, ["purchase.1"], hours_ago=121), State.RELEASED, "4")
        sent(ledger, ["purchase.2"], hours_ago=121)
        held(ledger, ["purchase.3"], hours_ago=121)
        dead(ledger, "purchase.4")
        told = early_alarm(world.plan(ledger, old), ledger, world.clock())
    assert told is not None
    assert told.startswith("meta: 2 events older than 5 days not sent yet")


# ---------------------------------------------------------------- how it is written


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(hours=24), "1 d"),
        (timedelta(days=6, hours=3, minutes=59), "6 d 3 h"),
        (timedelta(days=-1), "0 min"),
    ],
)
def test_a_length_of_time_has_two_parts(span: timedelta, told: str) -> None:
    """The largest two, rounded down; what has not begun lasts nothing."""
    assert lasting(span) == told


def test_text_of_others_is_made_visible() -> None:
    """Controls, marks of direction, separators and half characters; letters of any script stay."""
    assert printable("a\r\nb\t\x1b[0m\x7f\x9b") == "a\\r\\nb\\t\\x1b[0m\\x7f\\x9b"
    assert printable("\u200e\u2066\u2029\u00a0\ud800") == "\\u200e\\u2066\\u2029\\xa0\\ud800"
    assert printable("Straße 東京 é") == "Straße 東京 é"


def test_words_are_packed_whole() -> None:
    """As many on a line as fit; a long one has a line of its own."""
    assert list(packed(["aa", "bb", "c" * 12, "dd"], 10, "  ")) == ["  aa, bb,", "  " + "c" * 12 + ",", "  dd"]
    assert list(packed([], 10, "  ")) == []


def test_cells_stand_below_each_other() -> None:
    """Numbers end, words begin at the same place, and no line ends with blanks."""
    assert aligned([("rows", "state"), ("7", "held")], right={0}) == ["rows  state", "   7  held"]
