"""Data Docs: Great Expectations' pages, made to be read without a network.

As rendered, a page loads scripts, styles and images from eight other hosts, which would tell them who
reads it, and shows neither its marks nor its tables without them. So the scripts go, our style sheet takes
the place of the others, and a content security policy forbids the page every request.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from html import escape
from pathlib import Path
from typing import Any, Final

from uploader.quality.expectations import quiet
from uploader.quality.report import Report, found

POLICY: Final = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
MARKS: Final = {
    "passed": '<i class="fa-check-circle"></i>',
    "failed": '<i class="fa-times"></i>',
    "errored": '<i class="fa-exclamation-triangle"></i>',
}
STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 0 auto; padding: 1rem 1.5rem; }
h1 { font-size: 1.5rem; } h4 { font-size: 1.3rem; margin: .5rem 0 0; }
h5 { font-size: 1.05rem; margin: 0; font-family: ui-monospace, monospace; }
h6, .h6 { font-size: .95rem; font-weight: 600; margin: .5rem 0 0; }
table { border-collapse: collapse; width: 100%; margin: .3rem 0 .6rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem; border-bottom: 1px solid #8884; }
th { font-weight: 600; white-space: nowrap; } td:first-child { width: 1%; white-space: nowrap; }
table table { width: auto; font-size: .9em; }
.alert { background: #8882; border-radius: .3rem; padding: .4rem .7rem; margin-top: 1.4rem; }
.badge { background: #8883; border-radius: .3rem; padding: 0 .3rem; }
.text-danger, .fa-times { color: #c62828; } .text-success, .fa-check-circle { color: #2e7d32; }
.text-warning, .fa-exclamation-triangle { color: #b26a00; }
i { font-style: normal; font-weight: 700; }
.fa-check-circle::before { content: "\\2713 "; } .fa-times::before { content: "\\2717 "; }
.fa-exclamation-triangle::before { content: "\\26A0 "; }
.collapse, [data-toggle="collapse"], .navbar-brand, .sticky, p.lead { display: none; }
nav ol { display: flex; gap: .6rem; list-style: none; padding: 0; margin: 0; }
pre, code { white-space: pre-wrap; overflow-wrap: anywhere; }
"""

_DROPPED: Final = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*>|<style\b.*?</style>|<footer\b.*?</footer>|<img\b[^>]*>", re.DOTALL
)
_HANDLER: Final = re.compile(r"""\son\w+=("[^"]*"|'[^']*')""")
_HOME: Final = re.compile(r'href="(?:\.\./)+index\.html"')
_SUITE: Final = re.compile(r'<a href="(?:\.\./)+expectations/[^"]*"\s*>(.*?)</a>', re.DOTALL)


def write_docs(report: Report, directory: Path) -> None:
    """Write an index and one page per validation, in place of what was there."""
    pages = {_file_name(result): _page(result) for result in report.validations}
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
    fresh.chmod(0o755)
    (fresh / "index.html").write_text(_index(report, list(pages)), encoding="utf-8")
    for name, page in pages.items():
        (fresh / name).write_text(page, encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    fresh.replace(directory)


def _file_name(result: Any) -> str:
    return f"{str(result.suite_name).replace(' ', '_')}.html"


def _page(result: Any) -> str:
    """Render one validation; its heading is the suite's name."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    with quiet():
        document = ValidationResultsPageRenderer(run_info_at_end=True).render(result)
        page = DefaultJinjaPageView().render(document)
    title = escape(str(result.suite_name).capitalize())
    return offline(page.replace("Expectation Validation Result", title).replace("Data asset: None<br>", ""))


def offline(page: str) -> str:
    """Take everything out of a page that would need, or start, a request."""
    page = _HANDLER.sub("", _DROPPED.sub("", page))
    page = _SUITE.sub(r"\1", _HOME.sub('href="index.html"', page))
    return page.replace("<head>", f"<head>{POLICY}<style>{STYLE}</style>", 1)


def _index(report: Report, pages: list[str]) -> str:
    answer = "passed" if report.passed else "failed"
    links = " · ".join(
        f'<a href="{escape(name)}">{escape(name.removesuffix(".html").replace("_", " "))}</a>' for name in pages
    )
    lines = "\n".join(
        f"<tr><td>{MARKS[check.outcome]}</td><td>{escape(check.name)}</td><td>{escape(found(check))}</td>"
        f"<td>{escape(check.detail or ', '.join(check.examples))}</td></tr>"
        for check in report.checks
    )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8">{POLICY}<title>Quality gate {answer}</title>
<meta name="viewport" content="width=device-width, initial-scale=1.0"><style>{STYLE}</style></head>
<body><h1>Quality gate: {answer}</h1>
<p>{report.rows_due:,} rows due, {report.rows_window:,} rows in the window, judged at
{report.judged_at:%Y-%m-%d %H:%M} UTC. As Great Expectations reports it: {links}</p>
<table><thead><tr><th></th><th>rule</th><th>rows that break it</th><th>for example</th></tr></thead><tbody>
{lines}
</tbody></table></body></html>
"""
