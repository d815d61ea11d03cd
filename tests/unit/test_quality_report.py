"""What people and CI read of a report: terminal, Markdown, JUnit XML, JSON, figures and keys."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from rich.console import Console

from tests.support.quality_rows import NOW
from uploader.quality.artifacts import junit_xml, quality_json, summary_markdown
from uploader.quality.render import table
from uploader.quality.report import Check, Report, found, percent, shown_key
from uploader.settings import QualitySettings


def check(name: str, outcome: str, kind: str = "row", **changed) -> Check:
    """Return a check with figures."""
    values = {
        "observed": 0.075,
        "limit": 0.0 if kind == "row" else 0.05,
        "judged": 40,
        "unexpected": 3,
        "examples": ("purchase.1", "purchase.2"),
        "advice": "Look there.",
        "where": "meta" if kind == "share" else None,
        **changed,
    }
    return Check(name, "a_column", kind, outcome, **values)


REPORT = Report(
    (
        check("Twins", "failed", "share"),
        check("Zeros", "passed", "share", observed=None, judged=0, unexpected=0, where=None, examples=()),
        check("Hash", "failed"),
        check("Fine", "passed", observed=0.0, unexpected=0, examples=()),
        check("Odd", "errored", detail='unable to find column "a_column" | <b>'),
    ),
    40,
    1234,
    NOW,
    QualitySettings(),
)


def printed(width: int = 100) -> str:
    """Print the table as a terminal would show it."""
    console = Console(file=io.StringIO(), width=width)
    console.print(table(REPORT))
    return console.file.getvalue()


def test_the_terminal_shows_limits_failures_and_what_to_do():
    """Rules that passed share one line; a broken check does not look like bad data."""
    text = printed()
    for line in (
        "Quality gate: FAILED · 40 rows due, 1,234 in the window",
        "Twins (meta): Look there. For example purchase.1, purchase.2.",
        'Odd: the check itself is broken, not the data: unable to find column "a_column" | <b>.',
        "1 other rules for each row due",
    ):
        assert line in text
    rows = [line.split() for line in text.splitlines()]
    assert ["Twins", "7.50%", "5.00%", "40", "FAILED"] in rows
    assert ["Zeros", "–", "5.00%", "0", "passed"] in rows
    assert "Fine" not in text


def test_junit_tells_failures_from_errors():
    """CI counts bad data as failures and broken checks as errors."""
    suite = ET.fromstring(junit_xml(REPORT)).find("testsuite")  # noqa: S314 - written by us
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "timestamp")}
    assert counts == {
        "tests": "5",
        "failures": "2",
        "errors": "1",
        "skipped": "0",
        "timestamp": "2026-11-20T12:00:00",
    }
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {"Twins": ["failure"], "Zeros": [], "Hash": ["failure"], "Fine": [], "Odd": ["error"]}
    assert suite.find("testcase/failure").get("message") == "3 of 40 rows (7.50%, at most 5.00%) in meta"


def test_markdown_shows_failures_first_and_escapes_texts():
    """The summary stands in a pull request: a text cannot become markup or break a table."""
    text = summary_markdown(REPORT)
    assert text.startswith("## ❌ Quality gate failed: nothing was sent\n")
    assert "| Twins | 7.50% | 5.00% | 3 of 40 | meta | ❌ failed |" in text
    assert "3 of 40 rows. Look there. For example `purchase.1`, `purchase.2`." in text
    assert 'unable to find column "a\\_column" \\| \\<b\\>.' in text
    assert text.index("### ❌ failed: Hash") < text.index("<details>")


def test_json_holds_every_check_with_its_figures():
    """A program reads the same as a person."""
    content = json.loads(quality_json(REPORT))
    assert (content["passed"], content["rows_due"], content["rows_window"]) == (False, 40, 1234)
    assert content["thresholds"]["max_duplicate_rate"] == 0.05
    assert content["checks"][0] | {"advice": ""} == {
        "name": "Twins",
        "column": "a_column",
        "kind": "share",
        "outcome": "failed",
        "observed": 0.075,
        "limit": 0.05,
        "judged": 40,
        "unexpected": 3,
        "examples": ["purchase.1", "purchase.2"],
        "advice": "",
        "where": "meta",
        "detail": None,
    }


def test_the_message_says_what_holds_the_batch_back():
    """An exception carries it to the user."""
    assert REPORT.message.splitlines() == [
        "The quality gate failed: nothing was sent.",
        "  Twins: 3 of 40 rows (7.50%, at most 5.00%) in meta. Look there.",
        "  Hash: 3 of 40 rows. Look there.",
        '  Odd: the check itself is broken, not the data (unable to find column "a_column" | <b>).',
    ]


def test_checks_say_what_they_found():
    """Nothing to judge is not zero."""
    assert found(check("x", "errored")) == "could not be judged"
    assert found(check("x", "passed", observed=None)) == "nothing to judge"


@pytest.mark.parametrize(
    ("share", "beside", "text"),
    [(0.05, 0.05, "5.00%"), (0.0500001, 0.05, "5.00001%"), (0.075, 0.05, "7.50%"), (1.0, None, "100.00%")],
)
def test_a_share_just_above_its_limit_does_not_look_like_it(share, beside, text):
    """Else a report would say: failed, 5.00 %, at most 5.00 %."""
    assert percent(share, beside).rstrip("%").rstrip("0") == text.rstrip("%").rstrip("0")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("purchase.1001", "purchase.1001"),
        ("purchase.Überweg-7", "purchase.Überweg-7"),
        ("purchase.jane@example.com", "(key with an @)"),
        ("purchase.<script>", "purchase.?script?"),
        ("purchase.a\x00b\nc|`d` e", "purchase.a?b?c??d??e"),
        ("x" * 10_000, "x" * 80),
    ],
)
def test_keys_are_safe_to_print(key, shown):
    """Shops choose their order ids: no address, no markup, no control character leaves through a report."""
    assert pl.DataFrame({"event_key": [key]}).select(shown_key()).item() == shown
