"""``uploader check``: the quality gate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import orjson
import typer

from uploader import quality
from uploader.cli import conformance, gate
from uploader.cli.console import errors, print_json, stdout
from uploader.cli.context import Context, output_folder
from uploader.cli.digests import Digests
from uploader.cli.survey import Choice, candidates, plans
from uploader.errors import QualityGateFailed, UsageError
from uploader.warehouse import reading


def check(
    destination: Annotated[list[str] | None, typer.Option(help="Judge this one only; may be repeated.")] = None,
    identifiers: Annotated[
        bool, typer.Option("--identifiers", help="Report on the raw identifiers instead: judge nothing, exit 0.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Judge the rows about to be sent, and the duplicates of the window. Exit 65 when they may not leave.

    Writes verdict.json, verdict.rows, quality.json, junit.xml, summary.md and data_docs/ to target/uploader.

    With --identifiers, count instead, per field of all events: how many have a value, how many are valid, what
    normalizing changed, and how many Meta's own SDK would hash differently. Counts only, from audit_identifiers.

    Example: uploader check
    """
    if identifiers and destination:
        raise UsageError("--identifiers looks at all events, whatever their destination: leave --destination out.")
    context, choice = Context.load(), Choice(destination or ())
    if identifiers:
        conformance.report(context, as_json=as_json)
        return 0
    with ThreadPoolExecutor(1) as thread, context.sent_log() as ledger, reading(context.profile) as connection:
        chosen = candidates(context, connection, choice)
        thread.submit(quality.get_ready)
        made = plans(context, connection, ledger, chosen, choice, Digests(context, connection, may_be_known=False).of)
        frames = gate.Frames.of(context, connection, gate.Wanted(made))
    report = gate.judge(context, frames)
    if as_json:
        print_json(orjson.loads((output_folder() / "quality.json").read_bytes()))
    else:
        stdout().print(quality.table(report))
        stdout().print(f"Data Docs: {output_folder() / 'data_docs' / 'index.html'}", markup=False)
    if not report.passed:
        errors.print(report.message, markup=False, style="bold red")
    return 0 if report.passed else QualityGateFailed.exit_code
