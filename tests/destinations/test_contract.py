"""What every destination keeps to, so that a new one needs no change anywhere else."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.accounts import TOKEN, secret
from tests.support.accounts import account as account_at
from tests.support.frames import SCHEMA, event_frame
from uploader.body import leaves
from uploader.delivery.targets import targets
from uploader.destinations import load, names
from uploader.destinations.interface import Account, Auth, Response, Verdict
from uploader.encode import MAX_LEAVES, Items, Limits, Listed, encode, leaf_paths, pack
from uploader.errors import ConfigurationError
from uploader.hosts import Hosts
from uploader.settings import DestinationSettings, Settings

HERE = Path(__file__).parent
SEED = HERE.parent.parent / "seeds" / "destinations.csv"
KEYS = (
    *("error", "code", "error_subcode", "message", "error_data", "blame_field_specs", "x", "details", "events", "data"),
    *("status", "errors", "fieldViolations", "elements", "invalid_events", "index", "fields", "field"),
    *("isWarning", "errorCode", "eventsReceived", "events_received", "fieldViolations", "details", "reason"),
)
every_destination = pytest.mark.parametrize("name", names())


def _account(name: str) -> Account:
    return account_at(name, {"test_event_code": "TEST1"} if load(name).has_test_mode else {})


def _limits(name: str) -> Limits:
    return load(name).limits


def test_modules_and_seed_rows_are_the_same_set() -> None:
    """A destination is one module and one row of seeds/destinations.csv, in any order."""
    with SEED.open(encoding="utf-8") as file:
        rows = [row["destination"] for row in csv.DictReader(file)]
    assert sorted(rows) == list(names())


def test_an_unknown_destination_is_named() -> None:
    """The message says which ones there are."""
    with pytest.raises(ConfigurationError, match=r"no destination 'acme'; there are: .*meta"):
        load("acme")


@every_destination
def test_the_name_is_the_modules_name(name: str) -> None:
    """Settings, seeds and ledgers find a destination by one name."""
    assert load(name).name == name


@every_destination
def test_it_has_tests_and_golden_files(name: str) -> None:
    """No destination without events written by hand."""
    assert (HERE / f"test_{name}.py").is_file()
    assert list((HERE / "golden" / name).glob("*.json"))


@every_destination
def test_it_says_where_and_as_whom_it_sends(name: str) -> None:
    """Address, version, token variable and window have defaults that make sense."""
    destination = load(name)
    assert destination.base_url.startswith("https://")
    Hosts(destination.hosts).check(destination.base_url, "its own")
    assert destination.api_version
    assert destination.token_env.isupper()
    assert destination.windows.dedup is None or destination.windows.dedup >= timedelta()
    assert "Purchase" in destination.event_names or destination.needs_event_ids


@every_destination
def test_leaves_are_columns_of_the_marts(name: str) -> None:
    """A body reads nothing but the contract of the two marts."""
    body = load(name).body(_account(name))
    assert 0 < len(leaf_paths(body)) <= MAX_LEAVES
    for _, leaf in leaves(body):
        if isinstance(leaf, Items):
            fields = {field.name for field in SCHEMA[leaf.column].inner.fields}
            assert set(leaf.fields.values()) <= fields
        else:
            expression = leaf.value if isinstance(leaf, Listed) else leaf
            assert set(expression.meta.root_names()) <= set(SCHEMA)


@every_destination
def test_options_have_examples_of_their_form(name: str) -> None:
    """What a message or a document shows would be taken."""
    for option in load(name).options.values():
        assert re.fullmatch(option.pattern, option.example)
        assert not option.default or re.fullmatch(option.pattern, option.default)


@every_destination
def test_options_that_are_missing_or_of_another_form_are_named(name: str) -> None:
    """All at once, with an example, and without what was set; an unknown one is an error."""
    destination = load(name)

    def problems(options: dict[str, str]) -> str:
        about = DestinationSettings(dataset_id=destination.dataset_example, options=options)
        token = {destination.token_env: secret(destination.auth)}
        return " | ".join(targets([name], Settings(destinations={name: about}), token)[0].problems)

    told, odd = problems({}), problems(dict.fromkeys(destination.options, "\n odd one"))
    for key, option in destination.options.items():
        said = f"destinations.{name}.options.{key} ({option.about}"
        assert (f"{said}, like {option.example})" in told) == option.is_required
        assert f"{said}): it has another form, like {option.example}" in odd
    assert "odd one" not in odd
    with pytest.raises(ConfigurationError, match=rf"destinations\.{name}\.options\.nonsense"):
        problems({"nonsense": "1"})


@every_destination
def test_a_rehearsal_counts_nothing(name: str) -> None:
    """Where the platform has no test mode, the setting is named instead; elsewhere the code changes the request."""
    destination = load(name)
    about = DestinationSettings(
        dataset_id=destination.dataset_example, test_event_code="T1", base_url="http://127.0.0.1"
    )
    (found,) = targets([name], Settings(destinations={name: about}), {destination.token_env: secret(destination.auth)})
    if not destination.has_test_mode:
        assert any(problem.startswith("a test mode") for problem in found.problems)
        return
    real, rehearsal = (destination.request(account_at(name, given), b"{}") for given in ({}, {"test_event_code": "T1"}))
    assert (real.url, real.body) != (rehearsal.url, rehearsal.body)


@every_destination
def test_every_place_makes_a_request(name: str) -> None:
    """Each event of the usual sources has a place, or the setting that it waits for is named."""
    destination, account = load(name), _account(name)
    for source in ("website", "app", "physical_store", "phone_call", "system_generated"):
        frame = event_frame({"action_source": source, "app_info": ["i2"] if source == "app" else None})
        place = frame.select(destination.place(account)).item()
        if place is None:
            assert destination.missing("Purchase", source).startswith(f"destinations.{name}.")
        else:
            assert destination.request(account, b"{}", place).body


@every_destination
def test_paths_of_leaves_are_unique(name: str) -> None:
    """The bitmap of fields can be read back."""
    paths = leaf_paths(load(name).body(_account(name)))
    assert len(set(paths)) == len(paths)


@every_destination
def test_an_empty_frame_is_no_trouble(name: str) -> None:
    """No rows make no payloads, and no error."""
    assert len(encode(event_frame(), load(name).body(_account(name)))) == 0


@every_destination
def test_requests_keep_the_limits(name: str) -> None:
    """Bodies built from packed ranges stay within count and bytes, to the byte that envelope_bytes promises."""
    destination, account = load(name), _account(name)
    frame = event_frame(*({"order_id": "é" * (number % 50)} for number in range(200)))
    encoded = encode(frame, destination.body(account))
    payloads, limits = encoded.payloads(), Limits(events=min(destination.limits.events, 60), bytes=9000)
    for start, stop in pack(encoded.sizes, limits, destination.envelope_bytes(account)):
        body = destination.request(account, encoded.joined(start, stop)).body
        assert stop - start <= 60
        assert len(body) <= 9000
        assert len(body) == destination.envelope_bytes(account) + len(",".join(payloads[start:stop]).encode())


@every_destination
def test_its_own_limits_make_sense(name: str) -> None:
    """A request can carry at least one event of a usual size."""
    assert _limits(name).events >= 1
    assert _limits(name).bytes > 10_000


@every_destination
def test_the_same_events_make_the_same_bytes(name: str) -> None:
    """A resend is byte-identical, also from another instance."""
    frame = event_frame({"email_sha256": "a" * 64}, {"external_id_sha256": "b" * 64})
    first, second = (
        load(name).request(_account(name), encode(frame, load(name).body(_account(name))).joined(0, 2))
        for _ in range(2)
    )
    assert (first.url, first.body, first.headers) == (second.url, second.body, second.headers)


@every_destination
def test_the_token_stays_hidden(name: str) -> None:
    """No secret in the address, the plain headers, the body, or any text form."""
    request = load(name).request(_account(name), b"{}")
    assert TOKEN not in request.url
    assert TOKEN not in json.dumps(dict(request.headers))
    assert TOKEN.encode() not in request.body
    assert TOKEN not in repr(request)
    secrets = [*request.secret_headers.values(), *request.secret_query.values()]
    assert any(TOKEN in secret.reveal() for secret in secrets) or load(name).auth is not Auth.TOKEN


@every_destination
@settings(max_examples=300, deadline=None)
@given(
    body=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
                max_size=5,
            )
        ),
    ).map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([100, 200, 202, 204, 302, 400, 401, 404, 413, 429, 500, 503, 599]) | st.integers(0, 999),
    header=st.text(max_size=20),
)
def test_no_answer_makes_it_raise(name: str, body: bytes, status: int, header: str) -> None:
    """Whatever comes back, there is a verdict, and nothing unreadable counts as accepted."""
    headers = dict.fromkeys(("retry-after", "date", "x-app-usage", "x-business-use-case-usage"), header)
    outcome = load(name).read_response(Response(status, body, headers), 7)
    # One platform says nothing of events: its empty success is all that there is.
    impossible = {Verdict.NOT_SENT} if name == "ga4" else {Verdict.ACCEPTED, Verdict.PARTIAL, Verdict.NOT_SENT}
    assert outcome.verdict in set(Verdict) - impossible
    assert all(0 <= place < 7 for place in outcome.culprits)
    assert outcome.wait_s is None or 0 <= outcome.wait_s <= 86_400


@pytest.mark.parametrize("name", [name for name in names() if name != "ga4"])
@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff", b"[" * 50_000, b"null", b"9" * 9999])
def test_an_unreadable_success_is_in_doubt(name: str, body: bytes) -> None:
    """HTTP 200 with a body that says nothing proves nothing."""
    assert load(name).read_response(Response(200, body), 1).verdict is Verdict.IN_DOUBT
