"""The sandbox counts each event once, and fails as it is told to."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson
import pytest
import requests

from tests.support.sandbox_events import BEARER, HASH, NOW, app_event, message, post, purchase
from uploader.sandbox import FAULT_KINDS, Fault, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Run a sandbox whose clock stands at NOW."""
    with Sandbox(clock=lambda: NOW) as running:
        yield running


def test_duplicates_count_once_within_48_hours(sandbox: Sandbox) -> None:
    """The window begins with the first receipt and is not renewed by duplicates."""
    received = [0, 47, 48, 49, 96, 98]
    counted = []
    for hours in received:
        sandbox.set_clock(NOW + timedelta(hours=hours))
        post(sandbox, purchase(1))
        counted.append(len(sandbox.counted("1")))
    assert counted == [1, 1, 1, 2, 2, 3]
    assert [event["times_received"] for event in sandbox.counted("1")] == [3, 2, 1]
    figures = sandbox.counts()["1"]
    assert (figures["received"], figures["counted"], figures["duplicates"]) == (6, 3, 3)


def test_what_makes_a_duplicate(sandbox: Sandbox) -> None:
    """Dataset, event name and id together do; an event without an id never is one."""
    nameless = purchase(event_id=None)
    post(sandbox, purchase(1), purchase(1), purchase(2), purchase(1, event_name="Lead"), nameless, nameless)
    requests.post(f"{sandbox.url}/v26.0/2/events", json={"data": [purchase(1)]}, headers=BEARER, timeout=5)
    assert (len(sandbox.counted("1")), len(sandbox.counted("2"))) == (5, 1)


def in_store(number: int | None, **changes: object) -> dict[str, object]:
    """Make a sale in a store, of this order or of none."""
    custom_data = {"value": 5, "currency": "EUR"} | ({"order_id": str(number)} if number else {})
    return purchase(action_source="physical_store", custom_data=custom_data, event_source_url=None) | changes


def test_a_sale_in_a_store_is_known_by_its_order_and_time_for_seven_days(sandbox: Sandbox) -> None:
    """Its id does not matter, and neither does what the browser sent under the same id."""
    moment = int(NOW.timestamp()) - 60
    post(sandbox, purchase(1), in_store(1), in_store(1, event_id="another", user_data={"em": HASH}))
    post(sandbox, in_store(2), in_store(1, event_time=moment - 1), in_store(1, event_name="Lead"))
    assert sandbox.counts()["1"]["counted"] == 5
    line = {"value": 5, "currency": "EUR", "order_id": "1", "item_number": "2"}
    post(sandbox, in_store(1, custom_data=line), in_store(1, custom_data=line))
    assert sandbox.counts()["1"]["counted"] == 6
    for days, counted in ((7, 6), (7.001, 7)):
        sandbox.set_clock(NOW + timedelta(days=days))
        post(sandbox, in_store(1))
        assert sandbox.counts()["1"]["counted"] == counted


def test_a_sale_without_an_order_is_known_by_its_customer(sandbox: Sandbox) -> None:
    """The same customer information in any order of its keys, and no other, makes a duplicate."""
    person = {"em": HASH, "country": HASH}
    turned = dict(reversed(person.items()))
    post(sandbox, *[in_store(None, event_id=str(n), user_data=user) for n, user in enumerate([person, turned])])
    post(sandbox, in_store(None, user_data={"em": HASH}), in_store(None, user_data=person | {"em": [HASH]}))
    figures = sandbox.counts()["1"]
    assert (figures["counted"], figures["duplicates"]) == (3, 1)


def test_no_conversation_is_taken_for_another(sandbox: Sandbox) -> None:
    """Meta drops no repetition of a messaging event."""
    post(sandbox, *[message(page_id=1, page_scoped_user_id=2)] * 2)
    assert sandbox.counts()["1"]["counted"] == 2


def test_an_app_event_is_known_by_its_id(sandbox: Sandbox) -> None:
    """As on the website: the same name and id within 48 hours, whatever else differs."""
    post(sandbox, app_event(), app_event(event_time=int(NOW.timestamp()) - 99), app_event(event_id="purchase.2"))
    assert sandbox.counts()["1"]["counted"] == 2


def test_values_add_up_exactly(sandbox: Sandbox) -> None:
    """Fractions do not pass through binary floating point."""
    post(sandbox, *[purchase(number, custom_data={"value": 0.1, "currency": "eur"}) for number in range(30)])
    post(sandbox, purchase(31, custom_data={"value": 12.345, "currency": "KWD"}))
    assert sandbox.counts()["1"]["value"] == {"EUR": Decimal("3.0"), "KWD": Decimal("12.345")}


def test_test_events_are_counted_apart(sandbox: Sandbox) -> None:
    """A rehearsal neither counts nor makes the real event a duplicate."""
    post(sandbox, purchase(1), test_event_code="TEST1")
    post(sandbox, purchase(1))
    figures = sandbox.counts()["1"]
    assert (figures["counted"], figures["duplicates"], figures["test"]["counted"]) == (1, 0, 1)
    assert [event["event_id"] for event in sandbox.counted("1", is_test=True)] == ["purchase.1"]


def test_doubtful_events_are_named(sandbox: Sandbox) -> None:
    """What Meta takes without an error, but should not be sent, is counted as a warning."""
    nothing = sha256(b"").hexdigest()
    sent = purchase(event_source_url="javascript:alert(1)", user_data={"em": HASH, "fn": nothing, "fbp": "x"})
    post(sandbox, sent, purchase(2, event_source_url=None))
    assert sandbox.counts()["1"]["warnings"] == {
        "website_without_client_user_agent": 1,
        "malformed_event_source_url": 1,
        "hash_of_nothing": 1,
        "malformed_fbp": 1,
        "website_without_event_source_url": 1,
    }


FAULTY = {
    "status": (418, b"short and stout"),
    "throttle": (400, b'"code":80004'),
    "expired_token": (401, b'"code":190'),
    "server_error": (503, b'"code":1'),
    "transient": (500, b'"is_transient":true'),
    "html": (200, b"<html>"),
    "empty": (200, b""),
    "redirect": (302, b""),
    "wrong_count": (200, b'"events_received":0'),
    "slow": (200, b'"events_received":1'),
    "none": (200, b'"events_received":1'),
}


@pytest.mark.parametrize("kind", FAULTY)
def test_faulty_answers(sandbox: Sandbox, kind: str) -> None:
    """Each fault answers in its way, once; only those that say so are counted."""
    options = {"status": 418 if kind == "status" else 503 if kind == "server_error" else None, "code": 80004}
    sandbox.faults.add(kind, body="short and stout" if kind == "status" else "", seconds=0.05, **options)
    response = post(sandbox, purchase())
    status, part = FAULTY[kind]
    assert response.status_code == status
    assert part in response.content
    assert len(sandbox.counted("1")) == Fault(kind).judges
    assert post(sandbox, purchase()).json()["events_received"] == 1


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "truncated", "hang"])
def test_lost_answers(sandbox: Sandbox, kind: str) -> None:
    """A cut line leaves the client in doubt; whether the event was counted depends on the fault."""
    sandbox.faults.add(kind)
    threading.Timer(0.1, sandbox.faults.release).start()
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(sandbox, purchase())
    assert len(sandbox.counted("1")) == Fault(kind).judges
    assert sandbox.counts()["1"]["faults"] == {kind: 1}


def test_throttling_says_how_long(sandbox: Sandbox) -> None:
    """The usage headers carry minutes, and Retry-After whatever it is given."""
    sandbox.faults.add("throttle", minutes=7, retry_after="30")
    headers = post(sandbox, purchase()).headers
    (usage,) = orjson.loads(headers["X-Business-Use-Case-Usage"]).values()
    assert (usage[0]["estimated_time_to_regain_access"], headers["Retry-After"]) == (7, "30")


def test_any_fault_may_lose_the_answer_after_counting(sandbox: Sandbox) -> None:
    """A fault that is counted does its work before it fails."""
    sandbox.faults.add("server_error", is_counted=True)
    assert post(sandbox, purchase()).status_code == 500
    assert len(sandbox.counted("1")) == 1


def test_every_fault_is_tested() -> None:
    """No kind of fault is without a test here."""
    assert FAULTY.keys() | {"reset_before", "reset_after", "truncated", "hang"} == FAULT_KINDS.keys()


def test_unknown_faults_are_refused() -> None:
    """A typing error does not turn into a test that tests nothing."""
    with pytest.raises(ValueError, match="unknown fault"):
        Sandbox().faults.add("explode")
    with pytest.raises(ValueError, match="kind and any of"):
        Sandbox().faults.add("slow", minuets=3)


def test_control_over_http(sandbox: Sandbox) -> None:
    """Other processes can set the clock, switch faults, read the counts and reset."""
    control = f"{sandbox.url}/_sandbox"
    later = {"now": "2027-01-15T12:00:00Z"}
    assert requests.post(f"{control}/clock", json=later, timeout=5).json()["now"].startswith("2027-01-15")
    assert post(sandbox, purchase()).status_code == 400
    requests.post(f"{control}/clock", json={"now": None}, timeout=5)
    requests.post(f"{control}/faults", json=[{"kind": "html", "times": 2}], timeout=5)
    assert [post(sandbox, purchase()).text[:5] for _ in range(3)] == ["<!DOC", "<!DOC", '{"eve']
    assert requests.get(f"{control}/counts", timeout=5).json()["1"]["value"] == {"EUR": "19.99"}
    assert requests.get(f"{control}/events", timeout=5).json()["1"][0]["event_id"] == "purchase.1"
    requests.post(f"{control}/reset", timeout=5)
    assert sandbox.counts() == {}
    assert requests.post(f"{control}/faults", json=[{"kind": "explode"}], timeout=5).status_code == 400


def test_the_page_escapes_what_it_shows(sandbox: Sandbox) -> None:
    """Names of events are a stranger's text."""
    post(sandbox, purchase(event_name="<script>alert(1)</script>"))
    text = requests.get(sandbox.url, timeout=5).text
    assert "&lt;script&gt;" in text
    assert "<script>" not in text


def test_many_threads_count_once(sandbox: Sandbox) -> None:
    """Eight clients that send the same hundred events count a hundred."""

    def client() -> None:
        with requests.Session() as session:
            for start in range(0, 100, 20):
                post(sandbox, *[purchase(number) for number in range(start, start + 20)], session=session)

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures = sandbox.counts()["1"]
    assert (figures["requests"], figures["counted"], figures["duplicates"]) == (40, 100, 700)


def post_into_nothing(sandbox: Sandbox) -> None:
    """Post an event whose answer never comes."""
    with pytest.raises(requests.ConnectionError):
        post(sandbox, purchase())


def test_stopping_ends_hanging_requests() -> None:
    """A sandbox that stops frees its port at once, whoever still waits."""
    running = Sandbox(clock=lambda: NOW).start()
    running.faults.add("hang")
    client = threading.Thread(target=post_into_nothing, args=(running,))
    client.start()
    while not running.counts():
        pass
    running.stop()
    client.join(5)
    assert not client.is_alive()
    with Sandbox(port=running.port, clock=lambda: NOW) as again:
        assert post(again, purchase()).status_code == 200


def test_the_command_tells_what_it_counted() -> None:
    """It prints its address, a line per request, and the counts when it is told to end."""
    code = "from datetime import *; from uploader.sandbox import serve; serve(0, now=datetime(2026, 1, 15, 12))"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        requests.post(f"{found[0]}/v26.0/1/events", json={"data": [purchase()]}, headers=BEARER, timeout=5)
        process.send_signal(signal.SIGTERM)
        lines = process.communicate(timeout=10)[0].splitlines()
    assert process.returncode == 0
    assert "HTTP 200, 1 counted" in lines[0]
    assert "19.99 EUR" in lines[1]
