"""What people decide: `uploader resolve` for held events, `uploader requeue` for dead ones."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.delivering import NOW, Clock
from tests.support.sent_logs import ENGINES, META, dead, held, place, sent
from tests.support.shop import Shop, opened, orders
from uploader.cli.people import Request, decide
from uploader.cli.requeue import _DECISION
from uploader.errors import TryLater
from uploader.ledger import Ledger, State, Store, guarded, reading

ADA = f"ada@{socket.gethostname()}"


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """The place of the shop's sent log."""
    return place(request.param, request, tmp_path)


@pytest.fixture
def shop(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shop]:
    """A shop of Ada's that holds three events and had one refused."""
    monkeypatch.setenv("LOGNAME", "ada")
    with opened(tmp_path, monkeypatch, capsys) as it:
        it.sells(*orders(6))
        with writing(store) as ledger:
            held(ledger, ["purchase.1", "purchase.2"], hours_ago=50)
            held(ledger, ["purchase.3"], "row_gone", hours_ago=60)
            dead(ledger, "purchase.4")
        yield it


@contextmanager
def writing(store: Store) -> Iterator[Ledger]:
    """Open the shop's sent log as a run does."""
    with guarded(store, Clock(), "run", None) as ledger:
        yield ledger


def states(store: Store) -> dict[str, tuple[str, str | None]]:
    """Return state and reason of every key."""
    with writing(store) as ledger:
        known = reading.states(ledger, META, datetime(1970, 1, 1, tzinfo=UTC))
    return {key: (state, reason) for key, state, reason in known.select("event_id", "state", "reason").rows()}


HELD = ("held", "past_dedup_window")


@pytest.mark.parametrize(
    ("word", "ends"),
    [
        ("sent", ("acked", "resolved_sent")),
        ("resend", ("released", "resolved_resend")),
        ("drop", ("suppressed", "resolved_drop")),
    ],
)
def test_a_held_event_ends_as_a_person_says(shop: Shop, store: Store, word: str, ends: tuple[str, str]) -> None:
    """In the sent log, in the warehouse's copy, and in what is remembered of people; the others stay."""
    code, told = shop.json("resolve", "purchase.1", "--as", word)
    meta = told["destinations"]["meta"]
    assert (code, told["decided_by"], meta["events"], meta["state"]) == (0, ADA, 1, ends[0])
    found = states(store)
    assert (found["purchase.1"], found["purchase.2"]) == (ends, HELD)
    assert shop.sql("select state, reason from sent_log where event_id = 'purchase.1'") == [ends]
    with writing(store) as ledger:
        (at, by, command, detail) = ledger.decisions()[0]
        assert (at - NOW < timedelta(minutes=5), by, command) == (True, ADA, f"resolve --as {word} (1 event id)")
        assert json.loads(detail) == {META: {"past_dedup_window": 1}}
        assert ledger.high_water == shop.sql("select high_water from sent_log_meta")[0][0]


def test_a_reason_chooses(shop: Shop, store: Store) -> None:
    """All that are held for it, and no others; what is asked for and found nowhere changes nothing."""
    assert shop.run("resolve", "--as", "drop", "--reason", "past_dedup_window")[0] == 0
    found = states(store)
    assert {key for key, ends in found.items() if ends[0] == "suppressed"} == {"purchase.1", "purchase.2"}
    code, out = shop.run("resolve", "--as", "drop", "--reason", "past_dedup_window")
    assert (code, "Nothing to do" in out, states(store)) == (0, True, found)


def test_all_held_events_at_once(shop: Shop, store: Store) -> None:
    """Held ones only: dead is dead."""
    told = shop.json("resolve", "--as", "sent", "--all")[1]["destinations"]["meta"]
    assert told["by_reason"] == {"past_dedup_window": 2, "row_gone": 1}
    assert {key["event_id"] for key in told["keys"]} == {"purchase.1", "purchase.2", "purchase.3"}
    assert states(store)["purchase.4"] == ("dead", "100/2804050")


@pytest.mark.parametrize("code", ["2804050", "100", "100/2804050"])
def test_a_code_chooses_among_the_dead(shop: Shop, store: Store, code: str) -> None:
    """By its subcode, its code, or the whole of it."""
    with writing(store) as ledger:
        dead(ledger, "purchase.5", "10/2")
    assert shop.run("requeue", "--reason", code)[0] == 0
    found = states(store)
    assert (found["purchase.4"], found["purchase.5"]) == (("released", "requeued"), ("dead", "10/2"))
    assert shop.run("requeue", "--reason", "280")[0] == 0
    assert states(store) == found


WRONG_USE = (
    "resolve --as sent",
    "resolve --as sent purchase.1 --all",
    "resolve --as sent --reason row_gone --all",
    "resolve purchase.1",
    "resolve --as lost purchase.1",
    "resolve --as sent --all --destination nowhere",
    "requeue",
    "requeue purchase.4 --reason 100",
)


def test_what_is_meant_must_be_said(shop: Shop, store: Store) -> None:
    """Wrong use is exit 64, and nothing is changed."""
    before = states(store)
    assert {words: shop.run(*words.split())[0] for words in WRONG_USE} == dict.fromkeys(WRONG_USE, 64)
    assert states(store) == before


def test_an_id_that_is_not_held_stops_all(shop: Shop, store: Store) -> None:
    """It is named with what it is, and the ones beside it are not touched either: a typing error changes nothing."""
    before = states(store)
    code, told = shop.json("resolve", "--as", "drop", "purchase.1", "purchase.4", "purchase.99")
    assert (code, states(store)) == (64, before)
    assert told["error"].splitlines()[1:] == ["  purchase.4: dead", "  purchase.99: not in the sent log"]
    assert shop.run("requeue", "purchase.4", "purchase.1")[0] == 64
    assert states(store) == before


def test_a_dry_run_changes_nothing(shop: Shop, store: Store) -> None:
    """It needs no lock and shows count, ages, ids, and what may go wrong."""
    with writing(store) as ledger:
        before = ledger.high_water
    with store.locked(Clock()):
        code, out = shop.run("resolve", "--as", "resend", "--all", "--dry-run")
    assert code == 0
    assert "meta (meta:42): 3 held events would be released (resolved_resend)" in out
    assert "  2  past_dedup_window, 2 d 2 h old: purchase.1, purchase.2" in out
    assert ("counted twice" in out, "Nothing was changed" in out) == (True, True)
    with writing(store) as ledger:
        assert (ledger.high_water, ledger.decisions()) == (before, [])


def test_an_id_cannot_command_the_terminal(shop: Shop, store: Store) -> None:
    """Neither one of the sent log's nor one that was typed."""
    with writing(store) as ledger:
        held(ledger, ["evil\x1b[31m\u202e"], "row_gone", hours_ago=70)
    _, out = shop.run("resolve", "--as", "drop", "--all", "--dry-run")
    assert ("evil\\x1b[31m\\u202e" in out, "\x1b" in out) == (True, False)
    assert shop.run("resolve", "--as", "drop", "other\x1b[31m")[0] == 64
    assert ("other\\x1b[31m" in shop.error, "\x1b" in shop.error) == (True, False)


def test_a_run_under_way_is_waited_out_by_the_person(shop: Shop, store: Store) -> None:
    """Exit 75 while another holds the lock, and nothing is changed."""
    before = states(store)
    with store.locked(Clock()):
        assert shop.run("resolve", "--as", "drop", "--all")[0] == 75
        assert shop.run("requeue", "--all")[0] == 75
    assert states(store) == before


def test_a_busy_warehouse_is_waited_for_and_then_left(shop: Shop, store: Store) -> None:
    """A minute, as send does: without its witness the sent log is not written."""
    script = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(shop.warehouse)]
    before, waited = states(store), []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as dbt:
        assert dbt.stdout is not None
        assert dbt.stdout.readline() == "open\n"
        every = Request((), None, everything=True, destinations=(), dry_run=False, yes=True, as_json=True)
        with pytest.raises(TryLater, match="busy"):
            decide(_DECISION, every, waited.append)
        dbt.communicate("")
    assert (sum(waited), states(store)) == (60, before)


def test_a_dataset_of_old_is_touched_when_it_is_named(shop: Shop, store: Store) -> None:
    """Not by --all: only what is configured is meant by that."""
    with writing(store) as ledger:
        ledger.settle(sent(ledger, ["old"], to="meta:41"), State.DEAD, "100/2804050")
    assert list(shop.json("requeue", "--all")[1]["destinations"]) == ["meta"]
    assert list(shop.json("requeue", "--all", "--destination", "meta:41")[1]["destinations"]) == ["meta:41"]


def test_a_sent_log_that_went_back_is_not_written(shop: Shop, tmp_path: Path, store: Store) -> None:
    """The warehouse remembers a later one: exit 3, as send does."""
    assert shop.run("resolve", "--as", "drop", "purchase.1")[0] == 0
    shop.sql("update sent_log_meta set high_water = high_water + 1")
    assert shop.run("resolve", "--as", "drop", "purchase.2")[0] == 3
    assert states(store)["purchase.2"] == HELD


def test_without_a_sent_log_there_is_nothing_to_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And none is made."""
    with opened(tmp_path, monkeypatch, capsys) as shop:
        shop.sells(*orders(1))
        assert shop.run("requeue", "--all")[0] == 0
        assert shop.run("resolve", "--as", "sent", "purchase.1")[0] == 64
        assert list(tmp_path.glob("sent_log*")) == []


def test_a_resend_still_needs_consent(shop: Shop, store: Store) -> None:
    """A person releases it, and SQL decides: what is held in the outbox is not sent."""
    withdrawn = {"is_sendable": False, "hold_reason": "consent_withdrawn"}
    shop.sells(orders(1)[0] | withdrawn)
    assert shop.run("resolve", "--as", "resend", "purchase.1")[0] == 0
    assert (shop.run("send")[0], shop.posted()) == (0, 0)


def test_what_is_sent_or_dropped_is_never_sent(shop: Shop) -> None:
    """Also when its row may be sent."""
    shop.sells(*orders(2))
    assert shop.run("resolve", "--as", "sent", "purchase.1")[0] == 0
    assert shop.run("resolve", "--as", "drop", "purchase.2")[0] == 0
    told = shop.json("send")[1]["destinations"]["meta"]
    assert (told["already"], told["requests"], shop.posted()) == (2, 0, 0)


# ---------------------------------------------------------------- being asked


def at_a_terminal(words: list[str], answer: Callable[[], str]) -> tuple[int, str]:
    """Run a command at a terminal, answer its question, and return exit code and what the terminal showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "uploader", *words]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # which ends it on Linux: nobody has the other side open any more
            while part := os.read(ours, 1000):
                is_first = b"Go on?" not in shown
                shown += part
                if is_first and b"Go on?" in shown:
                    os.write(ours, f"{answer()}\n".encode())
        process.communicate(timeout=60)
    os.close(ours)
    return process.returncode, shown.decode()


def test_a_person_is_asked(shop: Shop, store: Store) -> None:
    """With what would change before their eyes; no changes nothing, yes does."""
    code, shown = at_a_terminal(["resolve", "--as", "resend", "--all"], lambda: "n")
    assert (code, states(store)["purchase.1"]) == (130, HELD)
    assert ("3 held events would be released" in shown, "may be counted twice" in shown) == (True, True)
    assert at_a_terminal(["resolve", "--as", "resend", "--all"], lambda: "y")[0] == 0
    assert states(store)["purchase.1"] == ("released", "resolved_resend")


def test_what_changed_while_a_person_thought_is_not_touched(shop: Shop, store: Store) -> None:
    """Another one was faster: exit 75, and theirs stands."""

    def thinks() -> str:
        assert shop.run("resolve", "--as", "sent", "purchase.1")[0] == 0
        return "y"

    assert at_a_terminal(["resolve", "--as", "drop", "--all"], thinks)[0] == 75
    found = states(store)
    assert (found["purchase.1"], found["purchase.2"]) == (("acked", "resolved_sent"), HELD)
