"""Writes what the gate found, for people, for CI and for ``send``.

verdict.json   for `uploader send`: the answer
verdict.rows   and which rows were judged
quality.json   every check with its figures
junit.xml      the same for CI: a failure is bad data, an error is a broken check
summary.md     the same for a pull request or ``GITHUB_STEP_SUMMARY``
data_docs/     Great Expectations' pages, readable without a network
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import orjson

from uploader import __version__
from uploader.quality.docs import write_docs
from uploader.quality.report import Check, Report, found, percent
from uploader.quality.verdict import verdict_files

if TYPE_CHECKING:
    from uploader.quality.verdict import Judged

DOCS: Final = "data_docs"
MARKS: Final = {"passed": "✅ passed", "failed": "❌ failed", "errored": "⚠️ broken check"}


def write(report: Report, directory: Path, judged: Judged, *, docs: bool = True) -> None:
    """Write all files; the verdict last, so that it never speaks of files that are not there."""
    directory.mkdir(parents=True, exist_ok=True)
    if docs:
        write_docs(report, directory / DOCS)
    replace_file(directory / "quality.json", quality_json(report))
    replace_file(directory / "junit.xml", junit_xml(report))
    replace_file(directory / "summary.md", summary_markdown(report).encode())
    for name, content in verdict_files(report, judged).items():
        replace_file(directory / name, content)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new one, whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def quality_json(report: Report) -> bytes:
    """Write the report as JSON."""
    content = {
        "passed": report.passed,
        "judged_at": report.judged_at.isoformat(),
        "version": __version__,
        "rows_due": report.rows_due,
        "rows_window": report.rows_window,
        "thresholds": report.thresholds.model_dump(),
        "checks": [asdict(check) for check in report.checks],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def junit_xml(report: Report) -> bytes:
    """Write the report as JUnit XML: the dialect that GitHub, GitLab, Jenkins and Azure read."""
    figures = {
        "name": "uploader check",
        "tests": str(len(report.checks)),
        "failures": str(len(report.having("failed"))),
        "errors": str(len(report.having("errored"))),
        "skipped": "0",
        "time": "0",
        "timestamp": report.judged_at.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    root = ET.Element("testsuites", {name: figures[name] for name in ("name", "tests", "failures", "errors", "time")})
    suite = ET.SubElement(root, "testsuite", figures)
    for check in report.checks:
        _test_case(suite, check)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _test_case(suite: ET.Element, check: Check) -> None:
    name = {"name": check.name, "classname": f"uploader.check.{check.kind}", "time": "0"}
    case = ET.SubElement(suite, "testcase", name)
    if check.outcome == "failed":
        failure = ET.SubElement(case, "failure", {"message": found(check), "type": "DataQuality"})
        failure.text = f"{check.advice}\nFor example: {', '.join(check.examples) or '(none)'}"
    elif check.outcome == "errored":
        error = ET.SubElement(case, "error", {"message": check.detail or "", "type": "BrokenCheck"})
        error.text = "The check itself is broken, not the data."


def summary_markdown(report: Report) -> str:
    """Write the report as Markdown: the limits first, then what failed, the rest folded away."""
    answer = "✅ Quality gate passed" if report.passed else "❌ Quality gate failed: nothing was sent"
    counts = f"{report.rows_due:,} rows due, {report.rows_window:,} rows in the window"
    lines = [
        f"## {answer}",
        "",
        f"{counts}, judged at {report.judged_at:%Y-%m-%d %H:%M} UTC.",
        "",
        "| share | observed | limit | rows | worst in | |",
        "|---|---:|---:|---:|---|---|",
        *(_share_line(check) for check in report.checks if check.kind == "share"),
    ]
    for check in (*report.having("failed"), *report.having("errored")):
        lines += ["", f"### {MARKS[check.outcome]}: {check.name}", "", _explained(check)]
    rows = [check for check in report.checks if check.kind == "row"]
    lines += ["", f"<details><summary>{len(rows)} rules for each row due</summary>", ""]
    lines += ["| rule | found | |", "|---|---|---|"]
    lines += [f"| {_cell(check.name)} | {found(check)} | {MARKS[check.outcome]} |" for check in rows]
    return "\n".join([*lines, "", "</details>", ""])


def _share_line(check: Check) -> str:
    observed = "–" if check.observed is None else percent(check.observed, check.limit)
    rows = f"{check.unexpected:,} of {check.judged:,}"
    place = _cell(check.where or "–")
    cells = (_cell(check.name), observed, percent(check.limit), rows, place, MARKS[check.outcome])
    return f"| {' | '.join(cells)} |"


def _explained(check: Check) -> str:
    if check.outcome == "errored":
        return f"The check itself is broken, not the data: {_cell(check.detail or '')}."
    examples = ", ".join(f"`{key}`" for key in check.examples)
    return f"{found(check)}. {check.advice}" + (f" For example {examples}." if examples else "")


def _cell(text: str) -> str:
    """Keep a text from breaking out of its table cell, or from becoming markup."""
    for character in "\\`*_<>[]|":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
