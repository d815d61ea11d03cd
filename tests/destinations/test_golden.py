"""The golden files of every destination: rows of the marts, and the events that its documents ask for, written by hand.

One file is one row: ``about`` says what it shows; ``row`` names the columns it is about; ``account`` may change the
account; ``place`` is where it goes, unless that is nowhere special; ``event`` is what leaves. ``refused`` is the code
by which the stand-in refuses it, for rows that the outbox would hold.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import account
from tests.support.frames import event_frame
from tests.support.golden import read, request
from uploader.delivery.signing import OAuth1
from uploader.destinations import load, names
from uploader.destinations.interface import OAUTH1_PARTS, Auth, Response
from uploader.encode import encode
from uploader.sandbox import platforms
from uploader.sandbox.wire import Call

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
TOKEN = "sandbox-token"
# Its own tests know more of it: what a visit would have told, and what it says of an event without a person.
KNOWS_MORE = {"meta"}
GOLDEN = sorted((HERE / "golden").glob("*/*.json"))
OTHERS = [path for path in GOLDEN if path.parent.name not in KNOWS_MORE]


def _ids(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def _exactly(text: str) -> str:
    """Bring JSON into one form that keeps the order of keys and the digits of numbers."""
    return json.dumps(json.loads(text, parse_float=Decimal), default=str, ensure_ascii=False)


@pytest.mark.parametrize("path", GOLDEN, ids=_ids)
def test_a_row_becomes_the_event_as_it_is_documented(path: Path) -> None:
    """Keys in order, numbers to the digit, and nothing else."""
    case, name = read(path), path.parent.name
    mine = account(name, case.get("account"))
    frame = event_frame(case["row"])
    assert frame.select(load(name).place(mine)).item() == case.get("place", "")
    payload = encode(frame, load(name).body(mine)).payloads()[0]
    assert _exactly(json.dumps(case["event"], default=str)) == _exactly(payload)


@pytest.mark.parametrize("path", OTHERS, ids=_ids)
def test_the_stand_in_takes_the_event(path: Path) -> None:
    """Another reader of the documents accepts what leaves, in the request that it leaves in."""
    case, name = read(path), path.parent.name
    destination = load(name)
    stand_in = platforms.load(platforms.Access(TOKEN, None, "v26.0"))[name]
    upload = stand_in.judge(_call(request(path), destination.auth), NOW, "trace", None)
    assert upload.refused == case.get("refused")
    assert len(upload.events) == (0 if case.get("refused") else 1)
    answer = upload.answer
    assert destination.read_response(_response(answer), 1).verdict == ("refused" if case.get("refused") else "accepted")


def _call(request: Any, auth: Auth) -> Call:
    """Return a request as it arrives, with the stand-in's own token wherever a secret stands."""
    path, _, query = request.url.removeprefix("https://").partition("/")[2].partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    bearers = {name.lower(): TOKEN for name in request.secret_headers}
    if "authorization" in bearers or auth is Auth.OAUTH2:
        bearers["authorization"] = f"Bearer {TOKEN}"
    if auth is Auth.OAUTH1:
        sign = OAuth1(dict.fromkeys(OAUTH1_PARTS, TOKEN), lambda: NOW)
        bearers["authorization"] = sign(request.url)["Authorization"]
    parameters = dict(part.split("=", 1) for part in query.split("&") if part) | dict.fromkeys(
        request.secret_query, TOKEN
    )
    return Call("POST", f"/{path}", parameters, headers | bearers, request.body)


def _response(answer: Any) -> Any:
    return Response(answer.status, answer.body, {name.lower(): value for name, value in answer.headers.items()})


def test_every_destination_has_golden_files() -> None:
    """At least a full order and the least that an event can be."""
    for name in names():
        assert {"web_full", "minimal"} <= {path.stem for path in GOLDEN if path.parent.name == name}
