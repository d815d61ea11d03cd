"""Meta: how long to wait, which events an answer names, and what is kept of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.destinations.interface import Response, Verdict
from uploader.destinations.meta import DESTINATION
from uploader.destinations.meta.answers import RULES, STATUSES

DATE = "Fri, 20 Nov 2026 12:00:00 GMT"
DAY = 86_400.0


def _read(status: int, headers: dict[str, str] | None = None, sent: int = 5, **error: Any) -> Any:
    body = orjson.dumps({"error": error})
    return DESTINATION.read_response(Response(status, body, headers or {}), sent)


TOLD: list[tuple[str, float | None]] = [
    ("0", 0.0),
    ("5", 5.0),
    (" 7 ", 7.0),
    ("1.5", 1.5),
    ("0005", 5.0),
    ("3600", 3600.0),
    ("86400", DAY),
    ("86401", DAY),
    ("1000000000000", DAY),
    ("9" * 400, DAY),
    ("5, 30", 30.0),
    ("30,5", 30.0),
    ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
    ("Fri, 20 Nov 2026 14:00:30 +0200", 30.0),
    ("Friday, 20-Nov-26 12:01:00 GMT", 60.0),
    ("Fri Nov 20 12:01:00 2026", 60.0),
    ("Fri, 20 Nov 2026 12:00:00 GMT", 0.0),
    ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
    ("Wed, 20 Nov 2126 12:00:00 GMT", DAY),
    ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
    ("abc", None),
    ("-5", None),
    ("+5", None),
    ("5s", None),
    ("5,", None),
    ("1e3", None),
    ("0x10", None),
    ("inf", None),
    ("nan", None),
    ("", None),
    ("٣", None),
    ("5\x00", None),
    ("Fri, 99 Nov 2026 12:00:00 GMT", None),
    ("Fri, 31 Dec 9999 23:59:59 -2300", None),
]

USAGE: list[tuple[object, float | None]] = [
    ({"1": [{"type": "ads_management", "estimated_time_to_regain_access": 19}]}, 1140.0),
    ({"1": [{"estimated_time_to_regain_access": 1}], "2": [{"estimated_time_to_regain_access": 3}]}, 180.0),
    ({"1": [{"estimated_time_to_regain_access": 0}]}, None),
    ({"1": [{"estimated_time_to_regain_access": 10**15}]}, DAY),
    ({"1": [{"estimated_time_to_regain_access": "soon"}, 5, None]}, None),
    ({"1": {"estimated_time_to_regain_access": 5}}, None),
    ([], None),
]


@pytest.mark.parametrize(("told", "wait_s"), TOLD)
def test_retry_after_is_obeyed(told: str, wait_s: float | None) -> None:
    """Seconds and dates are read, absurd ones capped at a day, unreadable ones left to the caller."""
    assert _read(429, {"retry-after": told, "date": DATE}).wait_s == wait_s
    assert _read(503, {"retry-after": told, "date": DATE}, code=2).wait_s == wait_s


@given(seconds=st.integers(0, 10**13), at=st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1)))
def test_nobody_comes_back_earlier_than_told(seconds: int, at: datetime) -> None:
    """Whether a platform tells seconds or a date: the wait is as long, up to a day."""
    wait = min(seconds, DAY)
    begin, end = (format_datetime(time.replace(tzinfo=UTC), usegmt=True) for time in (at, at + timedelta(seconds=wait)))
    assert _read(429, {"retry-after": str(seconds)}).wait_s == wait
    assert _read(429, {"retry-after": end, "date": begin}).wait_s == wait


def test_waiting_times_are_reported(figure: Callable[[str, str], None]) -> None:
    """All in one: every header above gives the time that is written beside it, and one that is missing gives none."""
    found = [_read(429, {"retry-after": told, "date": DATE}).wait_s for told, _ in TOLD]
    minutes = [_read(400, {"x-business-use-case-usage": json.dumps(usage)}, code=80003).wait_s for usage, _ in USAGE]
    assert found == [wait_s for _, wait_s in TOLD]
    assert minutes == [wait_s for _, wait_s in USAGE]
    assert _read(429).wait_s is None
    figure("N4", f"{len(found)} values of Retry-After and {len(minutes)} of the usage header: none earlier than told")


def test_a_date_without_the_answers_own_date_is_no_waiting_time() -> None:
    """Nothing looks at this machine's clock."""
    assert _read(429, {"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT"}).wait_s is None


@pytest.mark.parametrize(("usage", "wait_s"), USAGE)
def test_business_usage_tells_minutes(usage: object, wait_s: float | None) -> None:
    """The account that waits longest decides."""
    headers = {"x-business-use-case-usage": json.dumps(usage)}
    assert _read(400, headers, code=80003).wait_s == wait_s


@pytest.mark.parametrize(("share", "wait_s"), [(28, None), (100, 300.0), (130, 300.0), ("all", None)])
def test_used_up_app_waits_a_while(share: object, wait_s: float | None) -> None:
    """X-App-Usage names no time: from 100 per cent on, five minutes."""
    assert _read(400, {"x-app-usage": json.dumps({"call_count": share})}, code=4).wait_s == wait_s


def test_the_longest_wait_counts() -> None:
    """Never earlier than any of the headers says."""
    usage = json.dumps({"1": [{"estimated_time_to_regain_access": 2}]})
    assert _read(429, {"retry-after": "5", "x-business-use-case-usage": usage}).wait_s == 120.0
    assert _read(429, {"retry-after": "500", "x-business-use-case-usage": usage}).wait_s == 500.0


@pytest.mark.parametrize("usage", ["", "{", "\udcff", "null", "{" * 5000])
def test_unreadable_usage_is_no_usage(usage: str) -> None:
    """A header that is no JSON changes nothing."""
    assert _read(429, {"x-business-use-case-usage": usage, "x-app-usage": usage}).wait_s is None


def test_overloaded_server_that_says_when_has_taken_nothing() -> None:
    """A bare 503 with Retry-After is a limit; with Meta's own error code it proves nothing."""
    assert _read(503, {"retry-after": "9"}).verdict is Verdict.THROTTLED
    assert _read(503, {"retry-after": "9"}, code=2).verdict is Verdict.IN_DOUBT
    assert _read(503).verdict is Verdict.IN_DOUBT


@pytest.mark.parametrize(
    ("error", "culprits"),
    [
        ({"message": 'Unexpected key "x" on param "$[\'data\'][3]"'}, (3,)),
        ({"message": "(#100) Param $['data'][0]['user_data'] must be an object; $['data'][4] too"}, (0, 4)),
        ({"message": "Clé inattendue « x » pour le paramètre « $['data'][2] »"}, (2,)),
        ({"message": "$['data'][5] is beyond, $['data'][99999999999] too"}, ()),
        ({"message": "the data[1] of the shop"}, ()),
        ({"message": "no path", "error_data": {"blame_field_specs": [["data[1][event_time]"]]}}, (1,)),
        ({"message": "$['data'][0]", "error_data": {"blame_field_specs": ["$['data'][2]", "data[1]"]}}, (1, 2)),
        ({"error_data": '{"blame_field_specs":[["data[4]"]]}'}, (4,)),
        ({"error_data": '{"blame_field_specs":['}, ()),
        ({"error_data": {"blame_field_specs": "data[1]"}}, ()),
        ({"error_data": {"blame_field_specs": [[["data[1]"]], None, 7, {"a": 1}]}}, ()),
        ({"message": ["$['data'][1]"], "error_data": 7}, ()),
        ({"message": "$['data'][-1] $['data'][٣] $['data'][]"}, ()),
    ],
)
def test_named_events_are_found(error: dict[str, Any], culprits: tuple[int, ...]) -> None:
    """Positions come from paths alone, in whatever language the rest is, and only inside the request."""
    assert _read(400, code=100, **error).culprits == culprits


def test_only_a_refusal_has_culprits() -> None:
    """A path in an answer about the token or a limit accuses nobody."""
    for code in (4, 190, 2):
        assert _read(400, code=code, message="$['data'][1]").culprits == ()


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("AkC9b3x_-Z", "AkC9b3x_-Z"),
        ("BLBz/WZt8dN=", "BLBz/WZt8dN="),
        ("A" * 64, "A" * 64),
        ("A" * 65, None),
        ("a b", None),
        ("<script>", None),
        ("A\n", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_trace_id_is_kept_if_it_looks_like_one(told: object, kept: str | None) -> None:
    """Meta's support asks for it; anything else is not let into logs."""
    assert _read(400, code=100, fbtrace_id=told).trace_id == kept
    body = orjson.dumps({"events_received": 5, "fbtrace_id": told})
    assert DESTINATION.read_response(Response(200, body), 5).trace_id == kept


def test_nothing_of_metas_text_is_kept() -> None:
    """Meta's texts can quote what was sent: none of it reaches our message."""
    outcome = _read(400, code=100, error_subcode=2804016, message="em of jane@example.com", error_user_msg="jane")
    assert "jane" not in repr(outcome)


# Meta answers in the language of the account.
LANGUAGES = (
    "(#100) Invalid parameter",
    "Ungültiger Parameter",
    "Paramètre non valide",
    "無効なパラメータ",
    "معلمة غير صالحة",
)


def test_every_known_answer_has_one_meaning_in_every_language(figure: Callable[[str, str], None]) -> None:
    """The table has every status, code and subcode that the code knows, and each is read as the table says."""
    with (Path(__file__).parent / "answers" / "meta.csv").open(encoding="utf-8") as file:
        cases = list(csv.DictReader(file))
    wrong = []
    for case in cases:
        names = {"code": "code", "error_subcode": "subcode"}
        error: dict[str, Any] = {name: int(case[column]) for name, column in names.items() if case[column]}
        error |= {"is_transient": case["is_transient"] == "true"} if case["is_transient"] else {}
        found = {_read(int(case["status"]), message=text, error_user_msg=text, **error).verdict for text in LANGUAGES}
        wrong += [] if found == {Verdict(case["verdict"])} else [case]
    assert wrong == []
    keys = {(int(case["code"]), int(case["subcode"]) if case["subcode"] else None) for case in cases if case["code"]}
    assert set(RULES) - keys == set()
    assert set(STATUSES) - {int(case["status"]) for case in cases} == set()
    assert len(cases) >= 150
    figure(
        "N2", f"{len(cases)} of {len(cases)} (status, code, subcode) in {len(LANGUAGES)} languages read as documented"
    )
