"""The sandbox judges as strictly as Meta's documents say, in Meta's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
import pycountry
import pytest
import requests

from tests.support.sandbox_events import BEARER, EXTINFO, HASH, LDU, NOW, aged, judge, money, post, purchase, user
from uploader.sandbox import Sandbox
from uploader.sandbox.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Iterator


def judged(*events: Any, **parameters: Any) -> str | None:
    """Return the code for which these events are refused, or None."""
    refusal = judge(*events, **parameters).refusal
    return refusal.label if refusal else None


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Run a sandbox whose clock stands at NOW."""
    with Sandbox(clock=lambda: NOW) as running:
        yield running


@pytest.mark.parametrize(
    "event",
    [
        purchase(),
        aged(days=7),
        aged("physical_store", days=62),
        aged(minutes=-4),
        money(value=0, currency="JPY"),
        money(value="19.90", currency="usd", own_property={"any": ["thing"]}),
        money(value=1, currency="KWD", contents=[{"id": "a", "quantity": 2, "item_price": 0.5}]),
        user(fn=HASH, ln=HASH),
        user(external_id="c-1"),
        user(client_ip_address="2001:db8::1", client_user_agent="Mozilla/5.0"),
        user(fbc="fb.1.1768400000000.IwAR0.with.dots"),
        purchase(event_name="PageView", custom_data=None),
        purchase(event_source_url=None),
        purchase(action_source="app", app_data={"advertiser_tracking_enabled": 0, "extinfo": EXTINFO}),
        purchase(**LDU, data_processing_options_country=1, data_processing_options_state=1000),
        purchase(data_processing_options=[]),
        orjson.dumps(purchase()).decode(),
    ],
)
def test_good_events_are_taken(event: Any) -> None:
    """What the documents allow is accepted, as an object or as its JSON text."""
    assert judged(event) is None


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("100/2804003", aged(days=7, seconds=1)),
        ("100/2804003", aged("phone_call", days=8)),
        ("100/2804003", aged("physical_store", days=62, seconds=1)),
        ("100/2804003", purchase(event_time=None)),
        ("100/2804003", purchase(event_time=int(NOW.timestamp() * 1000))),
        ("100", aged(minutes=-6)),
        ("100", purchase(event_time="1768478340")),
        ("100", purchase(event_time=1768478340.5)),
        ("100", purchase(event_time=True)),
        ("100/2804003", purchase(user_data={}, event_time=1)),
        ("100/2804016", user(em="jane@example.com")),
        ("100/2804016", user(ph=[HASH, "4915112345678"])),
        ("100/2804016", user(em=HASH.upper())),
        ("100/2804016", user(fn="", em=HASH)),
        ("100", user(em=[None])),
        ("100", user(email=HASH)),
        ("100/2804050", purchase(user_data={})),
        ("100/2804050", user(client_user_agent="Mozilla/5.0")),
        ("100/2804050", user(ct=HASH, country=HASH, st=HASH, zp=HASH, ge=HASH, client_user_agent="Mozilla/5.0")),
        ("100/2804050", user(db=HASH, client_user_agent="Mozilla/5.0")),
        ("100/2804050", user(fn=HASH, ge=HASH)),
        ("100/2804050", user(ln=HASH)),
        ("100/2804050", user(em=[], external_id=" ")),
        ("100/2804050", user(fbp="fb.1.abc.1", client_ip_address="10.0.0.7, 10.0.0.8")),
        ("100", purchase(custom_data=None)),
        ("100", money(currency="EUR")),
        ("100", money(value=1)),
        ("100", money(value=-1, currency="EUR")),
        ("100", money(value="1,50", currency="EUR")),
        ("100", money(value=True, currency="EUR")),
        ("100", money(value=1, currency="EURO")),
        ("100", money(value=1, currency="XYZ")),
        ("100", money(value=1, currency="EUR", contents=[{"id": "a"}])),
        ("100", money(value=1, currency="EUR", num_items=-1)),
        ("100", purchase(action_source="web")),
        ("100", purchase(action_source=None)),
        ("100", purchase(event_name=" ")),
        ("100", purchase(event_id=7)),
        ("100", purchase(customer_segmentation="new_customer_to_business")),
        ("100", purchase(action_source="app")),
        ("100/2804043", purchase(action_source="app", app_data={
            "advertiser_tracking_enabled": 1, "extinfo": [*EXTINFO[:4], "", *EXTINFO[5:]]})),
        ("100", purchase(action_source="app", app_data={"advertiser_tracking_enabled": 1, "extinfo": ["i2"]})),
        ("100/2804066", purchase(event_name="Lead", action_source="business_messaging", messaging_channel="whatsapp")),
        ("100", purchase(data_processing_options=["CCPA"])),
        ("100", purchase(**LDU, data_processing_options_country=49)),
        ("100", purchase(**LDU, data_processing_options_state=999)),
        ("100", purchase(**LDU, user_data={"em": HASH})),
        ("100", "no JSON"),
        ("100", 7),
    ],
)  # fmt: skip
def test_bad_events_are_refused(code: str, event: Any) -> None:
    """Each rule refuses with its code, and takes the good events of the request down with it."""
    assert judged(purchase(), event) == code


def test_time_is_judged_before_identity() -> None:
    """A request with a nameless and an old event is refused for the old one."""
    assert judged(purchase(user_data={}), aged(days=9)) == "100/2804003"


@pytest.mark.parametrize(("count", "code"), [(0, "100"), (1000, None), (1001, "100")])
def test_a_request_holds_one_to_a_thousand_events(count: int, code: str | None) -> None:
    """A thousand events are taken, one more or none at all are not."""
    assert judged(*[purchase()] * count) == code


def test_all_or_nothing(sandbox: Sandbox) -> None:
    """One bad event among good ones, and nothing is counted."""
    response = post(sandbox, purchase(1), purchase(2, user_data={}), purchase(3))
    assert response.status_code == 400
    assert sandbox.counted("1") == []
    assert sandbox.counts()["1"]["refused"] == {"100/2804050": 1}


def test_errors_have_metas_form(sandbox: Sandbox) -> None:
    """A refusal with a subcode names no event; one by shape names the path."""
    error = post(sandbox, purchase(), aged(days=9)).json()["error"]
    assert error.keys() == {
        *("message", "type", "code", "error_subcode", "is_transient"),
        *("error_user_title", "error_user_msg", "fbtrace_id"),
    }
    assert (error["code"], error["error_subcode"], error["is_transient"]) == (100, 2804003, False)
    assert "data" not in orjson.dumps(error).decode()
    message = post(sandbox, purchase(), purchase(colour="red")).json()["error"]["message"]
    assert message == '(#100) Unexpected key "colour" on param "$[\'data\'][1]"'


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data": [NaN]}', b'{"data": "\\ud800"}', b"[" * 100_000])
def test_broken_bodies_are_refused(sandbox: Sandbox, body: bytes) -> None:
    """What is not strict JSON is an invalid parameter, never a crash."""
    headers = {"Content-Type": "application/json", **BEARER}
    response = requests.post(f"{sandbox.url}/v26.0/1/events", data=body, headers=headers, timeout=5)
    assert (response.status_code, response.json()["error"]["code"]) == (400, 100)


def test_the_token_may_come_four_ways(sandbox: Sandbox) -> None:
    """Header, query, JSON field and form field are taken, and the books say which it was."""
    url, token = f"{sandbox.url}/v26.0/1/events", {"access_token": "sandbox-token"}
    form = {"data": orjson.dumps([orjson.dumps(purchase()).decode()]).decode()}
    posted = [
        requests.post(url, json={"data": [purchase()]}, headers=BEARER, timeout=5),
        requests.post(f"{url}?{urlencode(token)}", data=form, timeout=5),
        requests.post(url, json={"data": orjson.dumps([purchase()]).decode(), **token}, timeout=5),
        requests.post(url, data=form | token, timeout=5),
    ]
    assert [response.json()["events_received"] for response in posted] == [1, 1, 1, 1]
    assert [seen["token_from"] for seen in sandbox.requests()] == ["header", "query", "body", "body"]


@pytest.mark.parametrize(
    ("path", "token", "expected"),
    [
        ("v26.0/1/events", "wrong", (401, 190, None)),
        ("v26.0/1/events", "", (401, 190, None)),
        ("v26.0/2/events", "sandbox-token", (400, 100, 33)),
        ("v25.0/1/events", "sandbox-token", (400, 100, None)),
        ("v27.0/1/events", "sandbox-token", (400, 2500, None)),
        ("1/events", "sandbox-token", (400, 2500, None)),
    ],
)
def test_addresses_and_tokens(path: str, token: str, expected: tuple[int, int, int | None]) -> None:
    """A wrong token, an unknown dataset and a wrong path each have their code; older versions are served."""
    with Sandbox(dataset_ids=["1"]) as running:
        headers = {"Authorization": f"Bearer {token}"}
        response = requests.post(f"{running.url}/{path}", json={"data": []}, headers=headers, timeout=5)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error.get("error_subcode")) == expected


def test_the_datasets_name_can_be_read(sandbox: Sandbox) -> None:
    """A GET on the dataset tells whether token and dataset are right."""
    answer = requests.get(f"{sandbox.url}/v26.0/1?fields=name", headers=BEARER, timeout=5)
    assert answer.json()["id"] == "1"


def test_currencies_are_those_of_iso_4217() -> None:
    """The list agrees with another one, but for codes of tests and of withdrawn currencies."""
    known = {currency.alpha_3 for currency in pycountry.currencies}
    assert known - CURRENCIES == {"XTS", "XXX"}
