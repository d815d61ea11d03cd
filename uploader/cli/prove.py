"""``uploader prove``: evidence that only what was permitted left, for whoever asks."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer

from uploader import __version__
from uploader.cli.console import print_json, stdout
from uploader.cli.context import Context
from uploader.clock import naive, parse_time
from uploader.errors import QualityGateFailed, TryLater, UsageError
from uploader.report import plural
from uploader.warehouse import evidence, outbox, reading

if TYPE_CHECKING:
    from datetime import datetime

FOLDER: Final = Path("evidence")
"""Not below target/: what dbt and `forget` clear away must not take the evidence along."""
RULES: Final = ("seeds/*.csv", "models/**/*.sql", "macros/**/*.sql", "dbt_project.yml")
PACKAGES: Final = ("dbt-core", "dbt-duckdb", "duckdb", "polars")


def prove(
    begin: Annotated[str, typer.Option("--from", help="The period's beginning (ISO 8601).")],
    end: Annotated[str | None, typer.Option("--to", help="Its end, not included; the present, if left out.")] = None,
    output: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the evidence as JSON.")] = False,
) -> int:
    """Write a file that shows what left in a period, on which consent, by which rules and from which data.

    It holds counts, versions and digests, and no personal data. Exit code 2: something left without permission; 75:
    something left since the last build, which therefore did not judge it.

    Example: uploader prove --from 2026-10-01 --to 2026-11-01
    """
    context = Context.load()
    now = naive(context.clock())
    since = naive(parse_time(begin, "--from", UsageError))
    until = naive(parse_time(end, "--to", UsageError)) if end is not None else now
    if since >= until:
        raise UsageError("--from must be before --to.")
    found = {"period": {"from": since, "to": until}, "made_at": now} | _evidence(context, since, until) | _rules()
    text = orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    file = output or FOLDER / f"{since:%Y%m%dT%H%M%S}_{until:%Y%m%dT%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)
    if as_json:
        print_json(found)
    else:
        _tell(found, file, hashlib.sha256(text).hexdigest())
    if found["violations"]:
        return 2
    return TryLater.exit_code if found["unjudged"] else 0


def _evidence(context: Context, since: datetime, until: datetime) -> dict[str, Any]:
    """Return what the warehouse says; it is decided as of the last build, which is named."""
    with reading(context.profile) as connection:
        outbox.require_marts(connection, context.profile)
        if failed := outbox.build_failures(connection, context.profile):
            raise QualityGateFailed(
                f"The last dbt build failed or did not end ({failed[0]}), so its tables may be of several moments. "
                "Run `dbt build`, then prove again."
            )
        as_of = outbox.read_as_of(connection, context.profile)
        return {
            "as_of": as_of,
            "unjudged": evidence.read_unjudged(connection, context.profile, since, until, as_of or since),
            "violations": evidence.read_violations(connection, context.profile, since, until),
            "sent": evidence.read_sent(connection, context.profile, since, until),
            "held": evidence.read_held(connection, context.profile, since, until),
            "inputs": evidence.digests(connection, context.profile),
        }


def _rules() -> dict[str, Any]:
    """Return which rules were in force: the digest of each file that decides, versions, and the commit."""
    files = sorted({file for pattern in RULES for file in Path().glob(pattern)})
    versions = {"uploader": __version__, "python": platform.python_version()}
    return {
        "rules": {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
        "versions": versions | {name: _version(name) for name in PACKAGES},
        "git": {"commit": _git("rev-parse", "HEAD"), "changed_files": _changed()},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _changed() -> list[str] | None:
    told = _git("status", "--porcelain", "--untracked-files=no")
    return None if told is None else [line[3:] for line in told.splitlines()]


def _git(*words: str) -> str | None:
    """Return what git says of the project's folder; None where there is no git or no commit."""
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.rstrip("\n")


def _tell(found: dict[str, Any], file: Path, digest: str) -> None:
    console = stdout()
    sent = sum(row["rows"] for row in found["sent"])
    held = sum(row["rows"] for row in found["held"])
    console.print(f"{plural(sent, 'event')} left in the period; {held} of its events are held.", markup=False)
    for row in found["violations"]:
        console.print(
            f"without permission: {plural(row['rows'], 'event')} {row['event_name']} to {row['destination_id']}: "
            f"{row['broken_rule']}",
            markup=False,
        )
    if found["unjudged"]:
        console.print(
            f"{plural(found['unjudged'], 'event')} left after the last build, which could not judge them: run "
            "`dbt build`, then prove again.",
            markup=False,
            style="yellow",
        )
    elif not found["violations"]:
        console.print("Nothing left without permission, at its time and at the time of sending.", markup=False)
    console.print(f"Evidence: {file} (SHA-256 {digest})", markup=False)
