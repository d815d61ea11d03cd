"""What the answers of every destination mean: ``answers/<name>.json`` lists them with what the documents say of each.

One entry: ``why``, ``status``, ``body`` (an object, or a text as it is), ``headers``, ``sent`` (3 unless it says so),
``verdict``, and where they count ``code``, ``culprits``, ``refused`` and ``wait_s``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from uploader.destinations import load, names
from uploader.destinations.interface import Response, Verdict

HERE = Path(__file__).parent / "answers"
FILES = sorted(HERE.glob("*.json"))
CASES = [(file.stem, case) for file in FILES for case in json.loads(file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}-{case['why']}" for name, case in CASES])
def test_an_answer_means_what_the_documents_say(name: str, case: dict[str, Any]) -> None:
    """Verdict, code, named events and waiting time."""
    body = case["body"] if isinstance(case["body"], str) else json.dumps(case["body"])
    outcome = load(name).read_response(
        Response(case["status"], body.encode(), case.get("headers", {})), case.get("sent", 3)
    )
    assert outcome.verdict == case["verdict"]
    assert outcome.code == case.get("code", outcome.code)
    assert outcome.culprits == tuple(case.get("culprits", ()))
    assert dict(outcome.refused) == {int(place): code for place, code in case.get("refused", {}).items()}
    assert outcome.wait_s == case.get("wait_s")
    assert not outcome.message or not set(_texts(case["body"])) & {outcome.message}


def _texts(body: Any) -> list[str]:
    if isinstance(body, dict):
        return [text for value in body.values() for text in _texts(value)]
    return [text for value in body for text in _texts(value)] if isinstance(body, list) else [str(body)]


@pytest.mark.parametrize("name", [name for name in names() if name != "meta"])
def test_every_kind_of_answer_is_listed(name: str) -> None:
    """Success, a bad event, a bad token, too many requests, and an outage."""
    verdicts = {case["verdict"] for known, case in CASES if known == name}
    assert {Verdict.ACCEPTED, Verdict.BLOCKED, Verdict.THROTTLED, Verdict.IN_DOUBT} <= verdicts
    # One platform says nothing of events, whatever they are.
    assert verdicts & {Verdict.REFUSED, Verdict.PARTIAL} or name == "ga4"
