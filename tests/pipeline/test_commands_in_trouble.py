"""The commands when something is wrong: how they exit, what they say, and what they do not send."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.delivering import Clock
from tests.support.shop import Shop, orders
from uploader.ledger import SqliteStore


def test_a_failed_gate_stops_the_run_before_the_first_request(shop: Shop) -> None:
    """Exit 65, from check and from send; the sandbox gets nothing."""
    shop.sells(*orders(3, currency="EURO"))
    assert shop.run("check")[0] == 65
    assert (shop.run("send")[0], shop.posted()) == (65, 0)
    assert shop.json("send")[0] == 65


def test_a_failed_build_sends_nothing(shop: Shop) -> None:
    """Exit 65 and the name of what failed."""
    shop.sql("insert into build_failures values ('test.conversions.grid', 'fail')")
    code, told = shop.json("send")
    assert (code, "test.conversions.grid" in told["error"], shop.posted()) == (65, True, 0)


def test_a_stale_outbox_sends_nothing(shop: Shop) -> None:
    """Older than a day: exit 75."""
    shop.sells(*orders(3, as_of="2026-11-19T13:59:00"))
    assert (shop.run("send")[0], shop.posted()) == (75, 0)


def test_missing_settings_are_named_all_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 78 with the setting and the variable."""
    monkeypatch.delenv("META_ACCESS_TOKEN")
    monkeypatch.delenv("UPLOADER__DESTINATIONS__META__DATASET_ID")
    code, told = shop.json("send")
    assert (code, "dataset_id" in told["error"], "META_ACCESS_TOKEN" in told["error"]) == (78, True, True)


def test_missing_columns_are_named_all_at_once(shop: Shop) -> None:
    """Exit 78 with table and column, for an edited model."""
    shop.sql("alter table fct_conversion_events drop column fbp")
    shop.sql("alter table fct_conversion_outbox drop column as_of")
    code, told = shop.json("plan")
    assert (code, "fct_conversion_events.fbp" in told["error"], "fct_conversion_outbox.as_of" in told["error"]) == (
        78,
        True,
        True,
    )


def test_a_lost_sent_log_stops_the_run(shop: Shop) -> None:
    """Exit 3 and no request, also when the manifest is gone too."""
    shop.run("send")
    before = shop.posted()
    (shop.folder / "sent_log.sqlite").unlink()
    assert shop.run("send")[0] == 3
    (shop.folder / "sent_log.sqlite.manifest.json").unlink()
    assert (shop.run("send")[0], shop.posted()) == (3, before)


def test_a_wrong_token_is_exit_4_and_kills_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows wait for the right one, and no output shows either token."""
    right = shop.sandbox.token
    monkeypatch.setenv("META_ACCESS_TOKEN", "canary-wrong-token")
    code, out = shop.run("send")
    assert (code, "canary-wrong-token" in out + shop.error) == (4, False)
    monkeypatch.setenv("META_ACCESS_TOKEN", right)
    assert shop.json("send")[1]["destinations"]["meta"]["acked"] == 3


def test_a_run_that_holds_the_lock_sends_the_other_away(shop: Shop) -> None:
    """Exit 75 with the holder's pid."""
    with SqliteStore(Path("sent_log.sqlite")).locked(Clock()):
        code, told = shop.json("send")
    assert (code, "pid" in told["error"], shop.posted()) == (75, True, 0)


def test_a_pretended_time_speaks_to_this_machine_only(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """With UPLOADER_NOW no real platform can be reached: exit 78."""
    monkeypatch.delenv("UPLOADER__DESTINATIONS__META__BASE_URL")
    code, told = shop.json("send")
    assert (code, "UPLOADER_NOW" in told["error"]) == (78, True)


def test_wrong_use_is_exit_64_with_a_hint(shop: Shop) -> None:
    """No traceback: the message and where to read on."""
    assert (shop.run("sned")[0], "--help" in shop.error) == (64, True)
    assert shop.run("send", "--limit", "many")[0] == 64
    assert shop.run("send", "--destination", "nowhere")[0] == 64
    assert shop.run("send", "--since", "yesterday")[0] == 64


def test_doctor_names_everything_that_is_missing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Healthy is exit 0; without a token 78, and the finding says which variable."""
    assert shop.json("doctor")[0] == 0
    monkeypatch.delenv("META_ACCESS_TOKEN")
    code, told = shop.json("doctor")
    failed = [finding["text"] for finding in told["findings"] if finding["level"] == "fail"]
    assert (code, "META_ACCESS_TOKEN" in failed[0], len(failed)) == (78, True, 1)


def test_nothing_that_a_run_leaves_behind_holds_the_token_or_user_data(shop: Shop, tmp_path: Path) -> None:
    """Canaries in token, address, agent and hashes are in the warehouse alone."""
    canaries = {"client_ip": "203.0.113.77", "user_agent": "Canary/9.9", "email_sha256": "c0ffee" + "0" * 58}
    shop.sells(*orders(3, **canaries))
    shop.run("check")
    _, out = shop.run("send")
    told = out + shop.error + json.dumps(shop.json("status")[1])
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "warehouse.duckdb" not in path.name]
    left = told.encode() + b"".join(path.read_bytes() for path in files)
    assert not [secret for secret in [*canaries.values(), shop.sandbox.token] if secret.encode() in left]


def test_wrong_column_types_are_named(shop: Shop) -> None:
    """An edited model with another type is exit 78 with column and type, not a traceback."""
    shop.sql("alter table fct_conversion_events alter value type double")
    code, told = shop.json("send")
    assert (code, "fct_conversion_events.value as Decimal" in told["error"], shop.posted()) == (78, True, 0)


def test_no_destination_is_no_traceback(shop: Shop) -> None:
    """With everything switched off there is nothing to send; asking for one by name is wrong use."""
    shop.sql("update destinations set is_enabled = false")
    assert (shop.json("send"), shop.run("check")[0]) == ((0, {"destinations": {}, "balanced": True}), 0)
    assert shop.run("send", "--destination", "meta")[0] == 64


def test_a_foreign_table_in_the_place_of_the_publication_costs_no_event(shop: Shop) -> None:
    """What was sent is told, and the publication is left for later with a warning."""
    shop.sql("create table sent_log (something integer)")
    code, told = shop.json("send")
    assert (code, told["destinations"]["meta"]["acked"], "left for the next run" in shop.error) == (0, 3, True)


def test_a_token_in_the_wrong_place_is_not_repeated(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """token_env names a variable; a token pasted there is refused without being shown."""
    monkeypatch.setenv("UPLOADER__DESTINATIONS__META__TOKEN_ENV", "EAABcanaryTOKEN123")
    code, out = shop.run("send", "--json")
    assert (code, "canary" in out + shop.error) == (78, False)


def test_a_lost_sent_log_is_told_by_every_command(shop: Shop) -> None:
    """None of them says that nothing was sent; doctor has one line for it."""
    shop.run("send")
    (shop.folder / "sent_log.sqlite").unlink()
    assert [shop.run(*words)[0] for words in (["status"], ["plan"], ["explain", "1"], ["check"])] == [3, 3, 3, 3]
    findings = [found for found in shop.json("doctor")[1]["findings"] if found["topic"] == "sent log"]
    assert [found["level"] for found in findings] == ["fail"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_a_document(shop: Shop, number: int, code: int) -> None:
    """Also outside of send, stdout has one JSON document."""
    script = (
        "import os, sys; from uploader.cli import app, status; "
        f"status.configured = lambda *a: os.kill(os.getpid(), {int(number)}); sys.exit(app.run(['status', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (code, code)


def test_a_signal_is_no_mistake_in_what_a_library_was_reading(shop: Shop) -> None:
    """Libraries take any error on their way for one of their input's, as Jinja does with a text in quotes."""
    script = (
        "import os, sys; from uploader.cli import app, status\n"
        "def swallowing(*_):\n"
        "    try: os.kill(os.getpid(), 15)\n"
        "    except Exception: return []\n"
        "status.configured = swallowing; sys.exit(app.run(['status', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (143, 143)


def test_what_expired_while_the_gate_was_shut_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate stops every run from the first one on; eight days later the loss is recorded, with exit 2."""
    shop.sells(*orders(3, currency="EURO"))
    assert shop.run("send")[0] == 65
    monkeypatch.setenv("UPLOADER_NOW", "2026-11-28T14:00:00Z")
    held = {"is_sendable": False, "hold_reason": "expired"}
    shop.sells(*orders(3, as_of="2026-11-28T13:00:00", **held))
    code, told = shop.json("send")
    assert (code, told["destinations"]["meta"]["expired"], shop.posted()) == (2, 3, 0)


def test_what_a_run_leaves_for_too_long_is_told(shop: Shop) -> None:
    """And no longer once it was taken."""
    shop.sells(*orders(3, event_at="2026-11-15T13:59:00", expires_at="2026-11-22T12:59:00"))
    shop.run("send", "--limit", "1")
    assert "meta: 2 events older than 5 days not sent yet" in shop.error
    assert shop.json("send")[1]["destinations"]["meta"]["acked"] == 2
    assert "not sent yet" not in shop.error
