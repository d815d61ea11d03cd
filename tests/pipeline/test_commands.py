"""The commands: what they print, what they leave behind, and how they exit."""

from __future__ import annotations

import pytest

from tests.support.shop import DATASET, Shop, orders


def test_send_delivers_once_and_again_posts_nothing(shop: Shop) -> None:
    """The sandbox counts the three; the second run makes no request."""
    code, told = shop.json("send")
    assert (code, told["balanced"], told["destinations"]["meta"]["acked"]) == (0, True, 3)
    assert sorted(event["event_id"] for event in shop.sandbox.counted(DATASET)) == [
        "purchase.1",
        "purchase.2",
        "purchase.3",
    ]
    before = shop.posted()
    code, told = shop.json("send")
    assert (code, told["destinations"]["meta"]["already"], shop.posted()) == (0, 3, before)


def test_the_figures_of_a_run_add_up(shop: Shop) -> None:
    """Read is the sum of the states."""
    _, told = shop.json("send", "--limit", "2")
    meta = told["destinations"]["meta"]
    states = ("already", "acked", "released", "held", "dead", "expired", "suppressed", "waiting", "deferred")
    assert (meta["read"], meta["acked"], meta["deferred"]) == (3, 2, 1)
    assert meta["read"] == sum(meta[name] for name in states)


def test_the_sent_log_is_published_to_the_warehouse(shop: Shop) -> None:
    """SQL can join what was sent, and a second run writes nothing."""
    shop.run("send")
    rows = shop.sql("select destination, destination_id, event_name, event_id, state, reason from sent_log order by 4")
    assert rows[0] == ("meta", "meta:42", "Purchase", "purchase.1", "acked", None)
    assert len(rows) == 3
    before = shop.warehouse.stat().st_mtime_ns
    shop.run("send")
    assert shop.warehouse.stat().st_mtime_ns == before


def test_status_counts_every_state(shop: Shop) -> None:
    """Zeros too, before and after."""
    assert shop.json("status")[1]["destinations"]["meta"]["states"]["acked"] == 0
    shop.run("send")
    states = shop.json("status")[1]["destinations"]["meta"]["states"]
    assert (states["acked"], states["dead"], states["held"]) == (3, 0, 0)


def test_plan_says_what_is_due_and_held_and_shows_the_json(shop: Shop) -> None:
    """Plan makes no file and no request."""
    code, told = shop.json("plan", "--show", "1")
    purchase = told["destinations"]["meta"]["Purchase"]
    assert (code, purchase["due"], purchase["held"], purchase["due_value"]) == (
        0,
        3,
        {"consent_denied": 1},
        {"EUR": "30.0000"},
    )
    assert told["show"]["meta"][0]["event_id"] == "purchase.1"
    assert (shop.posted(), list(shop.folder.glob("sent_log*"))) == (0, [])


def test_explain_tells_the_story_of_an_event(shop: Shop) -> None:
    """Consent, decision, delivery and the fields that left, by order id and by event id."""
    shop.run("send")
    told = shop.json("explain", "1")[1]["events"][0]["destinations"]["meta"]
    assert (told["is_sendable"], told["consent_at_event"], told["delivery"][0]["state"]) == (True, "granted", "acked")
    assert "user_data.external_id" in told["delivery"][0]["fields"]
    assert told["changed_since"] is False
    held = shop.json("explain", "purchase.4")[1]["events"][0]["destinations"]["meta"]
    assert (held["hold_reason"], held["delivery"]) == ("consent_denied", [])


def test_explain_notices_a_changed_row(shop: Shop) -> None:
    """The payload's hash tells that the row is another one now."""
    shop.run("send")
    shop.sql("update fct_conversion_events set value = 99 where order_id = '1'")
    assert shop.json("explain", "1")[1]["events"][0]["destinations"]["meta"]["changed_since"] is True
    assert shop.run("explain", "nobody")[0] == 64


def test_explain_says_why_a_record_makes_no_event(shop: Shop) -> None:
    """A lead at a stage that is no event is known, and so is why."""
    shop.sql("create table audit_records_without_event (source_table text, source_id text, reason text)")
    shop.sql("insert into audit_records_without_event values ('leads', 'L-1', 'unknown_stage')")
    code, told = shop.json("explain", "L-1")
    assert (code, told["makes_no_event"], told["events"]) == (0, "unknown_stage (leads)", [])
    assert "none: unknown_stage (leads)" in shop.run("explain", "L-1")[1]


def test_check_leaves_a_verdict_that_send_accepts(shop: Shop) -> None:
    """The verdict and all reports are there; send does not judge again, also not for a part of the rows."""
    assert shop.run("check")[0] == 0
    reports = shop.folder / "target" / "uploader"
    names = {path.name for path in reports.iterdir()}
    assert names == {"verdict.json", "verdict.rows", "quality.json", "junit.xml", "summary.md", "data_docs"}
    before = (reports / "verdict.json").stat().st_mtime_ns
    assert shop.run("send", "--limit", "1")[0] == 0
    assert (reports / "verdict.json").stat().st_mtime_ns == before


def test_check_judges_every_row_that_is_due(shop: Shop) -> None:
    """Of three orders and a held one, the two that were not sent yet; the window holds all four."""
    assert shop.run("send", "--limit", "1")[0] == 0
    told = shop.json("check")[1]
    assert (told["passed"], told["rows_due"], told["rows_window"]) == (True, 2, 4)
    assert {check["judged"] for check in told["checks"] if check["kind"] == "row"} == {2}


def test_a_rehearsal_does_not_mark_the_real_send_as_done(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events under the test code have a destination id of their own."""
    assert shop.run("send", "--test")[0] == 78
    monkeypatch.setenv("UPLOADER__DESTINATIONS__META__TEST_EVENT_CODE", "TEST1")
    told = shop.json("send", "--test")[1]["destinations"]["meta"]
    assert (told["destination_id"], told["acked"]) == ("meta:42#test", 3)
    monkeypatch.delenv("UPLOADER__DESTINATIONS__META__TEST_EVENT_CODE")
    assert shop.json("send")[1]["destinations"]["meta"]["acked"] == 3
    assert len(shop.sandbox.counted(DATASET)) == 3


def test_older_events_can_be_left_out(shop: Shop) -> None:
    """--since narrows the first run."""
    shop.sells(*orders(2), *[orders(3)[2] | {"event_at": "2026-11-18T12:00:00"}])
    assert shop.json("send", "--since", "2026-11-20T00:00:00Z")[1]["destinations"]["meta"]["acked"] == 2


def test_an_empty_outbox_is_a_quiet_success(shop: Shop) -> None:
    """Nothing is due: exit 0 and no request, and the gate is not asked."""
    shop.sql("delete from fct_conversion_outbox")
    code, told = shop.json("send")
    assert (code, told["destinations"]["meta"]["read"], shop.posted()) == (0, 0, 0)
    assert shop.run("check")[0] == 0


def test_status_answers_while_another_process_writes(shop: Shop) -> None:
    """It reads the sent log only."""
    shop.run("send")
    shop.warehouse.unlink()
    assert shop.json("status")[1]["destinations"]["meta"]["states"]["acked"] == 3


def test_plan_tells_dead_from_delivered(shop: Shop) -> None:
    """What the sent log is done with is named by its state."""
    shop.sells(*orders(9), *[orders(10)[9] | {"external_id_sha256": None, "user_agent": "Only/1.0"}])
    code, told = shop.json("send")
    assert (code, told["destinations"]["meta"]["acked"], told["destinations"]["meta"]["dead"]) == (2, 9, 1)
    assert shop.json("plan")[1]["destinations"]["meta"]["Purchase"]["sent_log"] == {"acked": 9, "dead": 1}
    trouble = shop.json("status")[1]["destinations"]["meta"]["trouble"]
    assert [(line["state"], line["reason"], line["examples"]) for line in trouble] == [
        ("dead", "100/2804050", ["purchase.10"])
    ]
