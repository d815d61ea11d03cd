"""``uploader doctor``: is everything there that a run needs?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from uploader import settings as configuration
from uploader.cli.console import print_json, stdout
from uploader.cli.context import Context, environment
from uploader.cli.survey import Choice, candidates
from uploader.clock import naive
from uploader.delivery.planning import check_freshness
from uploader.delivery.targets import configured, targets
from uploader.errors import ConfigurationError, UploaderError
from uploader.ledger import Publication, summary, verify
from uploader.report import plural
from uploader.warehouse import Connection, outbox
from uploader.warehouse import reading as reading_warehouse
from uploader.warehouse.freshness import newest
from uploader.warehouse.sent_log import read_publication

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MARKS = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]fail[/red]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: ``level`` is ok, warn or fail."""

    topic: str
    level: str
    text: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Look at profile, warehouse, settings, tokens, datasets, clock and source freshness; say what is missing.

    Exit 78 when something that a run needs is missing. Sends nothing.

    Example: uploader doctor
    """
    findings = list(_findings())
    failed = any(finding.level == "fail" for finding in findings)
    if as_json:
        print_json({"healthy": not failed, "findings": [vars_of(finding) for finding in findings]})
    else:
        for finding in findings:
            stdout().print(f"{_MARKS[finding.level]} {finding.topic}: ", end="")
            stdout().print(finding.text, markup=False)
    return ConfigurationError.exit_code if failed else 0


def vars_of(finding: Finding) -> dict[str, str]:
    """Return a finding as JSON wants it."""
    return {"topic": finding.topic, "level": finding.level, "text": finding.text}


def _findings() -> Iterator[Finding]:
    try:
        configuration.load()
        yield Finding("settings", "ok", "uploader.toml and UPLOADER__SECTION__KEY are readable")
    except UploaderError as error:
        yield Finding("settings", "fail", str(error))
        return
    try:
        context = Context.load()
    except UploaderError as error:
        yield Finding("project", "fail", str(error))
        return
    yield Finding("project", "ok", f"{context.profile.path}, schema {context.profile.schema}")
    yield Finding("clock", "ok", f"{context.clock():%Y-%m-%d %H:%M:%S} UTC")
    published = None
    try:
        with reading_warehouse(context.profile) as connection:
            published = read_publication(connection, context.profile)
            yield from _warehouse(context, connection)
    except UploaderError as error:
        yield Finding("warehouse", "fail", str(error))
        yield from _destinations(context, None)
    yield from _sent_log(context, Publication(*published) if published else None)


def _warehouse(context: Context, connection: Connection) -> Iterator[Finding]:
    yield from _sources(context, connection)
    failures = outbox.build_failures(connection, context.profile)
    text = f"failed or did not end: {failures[0]} (of {len(failures)}): run `dbt build`" if failures else "passed"
    yield Finding("last build", "fail" if failures else "ok", text)
    try:
        enabled = [target.name for target in candidates(context, connection, Choice())]
        yield Finding("marts", "ok", "both have every column")
        as_of = outbox.read_as_of(connection, context.profile)
    except UploaderError as error:
        yield Finding("marts", "fail", str(error))
        yield from _destinations(context, None)
        return
    try:
        check_freshness(as_of, context.clock(), context.settings.delivery.max_outbox_age_hours)
        yield Finding("outbox", "ok", f"decided as of {as_of:%Y-%m-%d %H:%M} UTC" if as_of else "empty")
    except UploaderError as error:
        yield Finding("outbox", "warn", str(error))
    if not enabled:
        yield Finding("destinations", "warn", "seeds/destinations.csv enables none")
    yield from _destinations(context, enabled)


def _destinations(context: Context, enabled: Sequence[str] | None) -> Iterator[Finding]:
    """Look at the settings of what is enabled, or where that is not known, of what the settings speak of."""
    try:
        settings, variables = context.settings, environment()
        chosen = configured(settings, variables) if enabled is None else targets(enabled, settings, variables)
    except UploaderError as error:
        yield Finding("destinations", "fail", str(error))
        return
    for target in chosen:
        for problem in target.problems:
            yield Finding(target.name, "fail", f"not set: {problem}")
        if not target.problems:
            yield Finding(target.name, "ok", f"{target.destination_id} at {target.account.base_url}, token is set")


def _sources(context: Context, connection: Connection) -> Iterator[Finding]:
    for table, moment in newest(connection, context.profile).items():
        if moment is None:
            yield Finding(f"source {table}", "warn", "no readable time, or no rows")
            continue
        hours = (naive(context.clock()) - moment).total_seconds() / 3600
        level = "warn" if hours > 24 else "ok"
        age = f"{hours:.1f} hours old" if hours >= 0 else f"{-hours:.1f} hours ahead of the clock"
        yield Finding(f"source {table}", level, f"the newest row is {age}")


def _sent_log(context: Context, published: Publication | None) -> Iterator[Finding]:
    try:
        verify(context.store, published)
        with context.sent_log() as ledger:
            if ledger is None:
                yield Finding("sent log", "ok", f"{context.store} does not exist yet: the first send makes it")
            else:
                known = sum(sum(states.values()) for states in summary.counts(ledger).values())
                yield Finding("sent log", "ok", f"{context.store} knows {plural(known, 'event')}")
    except UploaderError as error:
        yield Finding("sent log", "fail", str(error))
