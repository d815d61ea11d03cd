"""``uploader forget``: a person asked to be forgotten."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uploader.cli.console import errors, is_interactive, print_json, stdout
from uploader.cli.context import Context
from uploader.cli.leftovers import clear_files
from uploader.cli.people import who
from uploader.cli.publishing import published_so_far
from uploader.cli.telling import tell
from uploader.errors import ConfigurationError, UsageError
from uploader.ledger import guarded
from uploader.ledger.erasing import Arrived, arrived
from uploader.ledger.erasing import forget as forget_keys
from uploader.report import is_text, plural, printable
from uploader.warehouse import writing
from uploader.warehouse.erasing import Erasure, Held
from uploader.warehouse.outbox import OUTBOX_TABLE
from uploader.warehouse.rewriting import rewrite
from uploader.warehouse.subjects import Asked, Subject, find, hold, suppress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uploader.ledger import Publication, Store
    from uploader.warehouse.duckdb import Sleep

_LABELS = {"customer": "Customer id", "email": "E-mail", "phone": "Phone number", "visitor": "Visitor id"}


@dataclass(frozen=True, slots=True)
class Request:
    """What the command was asked; without ids everybody is meant who is to be forgotten."""

    asked: Sequence[Asked]
    erase_raw: bool
    dry_run: bool
    yes: bool
    as_json: bool


@dataclass(slots=True)
class Outcome:
    """What there is of a person, and what became of it: counts, never values."""

    people: int
    events: int
    is_shared: bool
    suppressed: int = 0
    ledger_rows: int = 0
    ledger_copies: int = 0
    files: list[str] = field(default_factory=list)
    tables: dict[str, int] = field(default_factory=dict)
    raw: list[Held] = field(default_factory=list)
    erased: dict[str, int] = field(default_factory=dict)
    platforms: list[Arrived] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "people": self.people,
            "events": self.events,
            "is_shared": self.is_shared,
            "suppressions_added": self.suppressed,
            "sent_log": {"rows_deleted": self.ledger_rows, "copies_deleted": self.ledger_copies},
            "files_deleted": self.files,
            "tables": self.tables,
            "raw_tables_erased": self.erased,
            "raw_tables_left": {held.table: held.rows for held in self.raw if held.table not in self.erased},
            "destinations": {
                platform.destination_id: {
                    "arrived": platform.acked,
                    "in_doubt": platform.in_doubt,
                    "first_sent_at": platform.first_at,
                    "last_sent_at": platform.last_at,
                    "identified_by": list(platform.fields),
                }
                for platform in self.platforms
            },
        }


def forget(
    customer: Annotated[str | None, typer.Option(metavar="ID", help="The shop's customer id; - asks for it.")] = None,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="An e-mail address; - asks for it.")] = None,
    phone: Annotated[str | None, typer.Option(metavar="NUMBER", help="A phone number; - asks for it.")] = None,
    visitor: Annotated[str | None, typer.Option(metavar="ID", help="A visitor id; - asks for it.")] = None,
    country: Annotated[str | None, typer.Option(metavar="CODE", help="Of a phone number without +.")] = None,
    listed: Annotated[
        bool, typer.Option("--listed", help="Everybody in raw.suppressions, and whom this command was told before.")
    ] = False,
    erase_raw: Annotated[bool, typer.Option("--erase-raw", help="Erase the shop's own raw tables too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what there is, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Forget a person: hold their events from now on, and delete what the warehouse, the sent log and reports have.

    A hash of each of their ids is kept, so that they stay forgotten when the shop loads its tables again. With - a
    value is read from the terminal or from stdin, and stands in no shell history. Run it after `dbt build`.

    Example: uploader forget --email - --dry-run
    """
    given = {"customer": customer, "email": email, "phone": phone, "visitor": visitor}
    wanted = {kind: value for kind, value in given.items() if value is not None}
    if bool(wanted) == listed:
        raise UsageError("Say who: --customer, --email, --phone or --visitor, or --listed for all who asked.")
    if country is not None and phone is None:
        raise UsageError("--country belongs to --phone.")
    asked = [Asked(kind, _read(kind, value), country if kind == "phone" else None) for kind, value in wanted.items()]
    return _forget(Request(asked, erase_raw, dry_run, yes, as_json))


def _read(kind: str, value: str) -> str:
    """Return a value, read from the terminal or from a line of stdin where it is ``-``."""
    if value == "-":
        label = _LABELS[kind]
        value = typer.prompt(label, hide_input=True, err=True) if is_interactive() else sys.stdin.readline()
    if not value.strip():
        raise UsageError(f"{_LABELS[kind]}: no value was given.")
    if not is_text(value):
        raise UsageError(f"{_LABELS[kind]}: the value is not UTF-8 text. Write it as UTF-8.")
    return value.strip()


def _forget(request: Request, sleep: Sleep = time.sleep) -> int:
    context = Context.load()
    seen = _look(context, request, sleep)
    if request.dry_run:
        _report(request, seen)
        return 0
    if not request.yes and is_interactive():
        for line in _lines(request, seen, is_done=False):
            tell(errors, line)
        typer.confirm("Nothing of this comes back. Go on?", abort=True, err=True)
    _report(request, _act(context, request, sleep))
    return 0


# ---------------------------------------------------------------- looking


def _look(context: Context, request: Request, sleep: Sleep) -> Outcome:
    """Return what there is of a person, and leave everything as it is."""
    if not context.profile.path.is_file():
        raise ConfigurationError(f"There is no warehouse at {context.profile.path}. Run `dbt build` first.")
    with writing(context.profile, sleep) as connection:
        subject = _find(context, request, connection)
        outcome = Outcome(subject.people, subject.events, subject.is_shared)
        erasure = Erasure(connection, context.profile, subject)
        outcome.tables, outcome.raw = erasure.derived(dry_run=True), erasure.raw()
    with context.sent_log() as ledger:
        outcome.platforms = arrived(ledger, subject.keys) if ledger else []
    return outcome


def _find(context: Context, request: Request, connection: Any) -> Subject:
    subject = find(connection, context.profile, request.asked)
    if subject.is_shared and request.erase_raw:
        which = "an id that was given" if request.asked else "an id in the list, or of who was forgotten before,"
        raise UsageError(
            f"Nothing was changed: {which} belongs to several people, and --erase-raw would erase them all. Name each "
            "person by customer id or e-mail address, or leave --erase-raw out."
        )
    return subject


# ---------------------------------------------------------------- doing


def _act(context: Context, request: Request, sleep: Sleep) -> Outcome:
    """Forget. From the first step on nothing more is sent; the warehouse comes last.

    It is what the person is found by: so after a kill at any moment the same command does the rest.
    """
    store = context.store
    with store.locked(context.clock):
        with writing(context.profile, sleep) as connection:
            subject = _find(context, request, connection)
            outcome = Outcome(subject.people, subject.events, subject.is_shared)
            published = published_so_far(context, connection)
            connection.execute("begin")
            outcome.suppressed = suppress(connection, context.profile, subject, context.clock())
            held = hold(connection, context.profile, subject)
            connection.execute("commit")
        _forget_in_ledger(context, store, subject, published, outcome)
        outcome.files = clear_files(subject.every_text)
        with writing(context.profile, sleep) as connection:
            connection.execute("begin")
            erasure = Erasure(connection, context.profile, subject)
            outcome.raw = erasure.raw()
            outcome.erased = erasure.erase_raw() if request.erase_raw else {}
            outcome.tables = ({OUTBOX_TABLE: held} if held else {}) | erasure.derived()
            connection.execute("commit")
        rewrite(context.profile)
    return outcome


def _forget_in_ledger(
    context: Context, store: Store, subject: Subject, published: Publication | None, outcome: Outcome
) -> None:
    """Delete the keys and every copy of them; what is remembered is that it was done, by whom, and how many."""
    if not store.exists() and store.witness() is None and published is None:
        return
    with guarded(store, context.clock, context.run_id, published) as ledger:
        outcome.platforms = arrived(ledger, subject.keys)
        outcome.ledger_rows = forget_keys(ledger, subject.keys)
        counts = {one.destination_id: {"arrived": one.acked, "in_doubt": one.in_doubt} for one in outcome.platforms}
        detail = {"events": subject.events, "rows": outcome.ledger_rows, "destinations": counts}
        ledger.log_decision(who(), "forget", json.dumps(detail))
        outcome.ledger_copies = store.scrub(context.clock)


# ---------------------------------------------------------------- telling


def _report(request: Request, outcome: Outcome) -> None:
    if request.as_json:
        print_json({"dry_run": request.dry_run} | outcome.as_dict())
        return
    for line in _lines(request, outcome, is_done=not request.dry_run):
        tell(stdout(), line)
    if request.dry_run:
        tell(stdout(), "Nothing was changed: --dry-run.")


def _lines(request: Request, outcome: Outcome, *, is_done: bool) -> Iterator[str]:
    if not outcome.events and not outcome.raw:
        yield "No table of the warehouse knows the person. What comes later is held."
    else:
        yield f"{plural(outcome.events, 'event')} of {plural(outcome.people, 'person', 'people')}"
    if outcome.is_shared:
        yield "  An id that was given belongs to several people: only the events that have that id are meant."
    if is_done:
        yield f"  held from the next `dbt build` on: {plural(outcome.suppressed, 'id')} added to the suppressions"
        yield (
            f"  sent log: {plural(outcome.ledger_rows, 'row')} deleted; a new backup took the place of "
            f"{plural(outcome.ledger_copies, 'copy', 'copies')}"
        )
    verb = "deleted" if is_done else "to delete"
    yield from (f"  {name}: {plural(rows, 'row')} {verb}" for name, rows in outcome.tables.items())
    yield from (f"  {name}: deleted" for name in outcome.files)
    yield from _raw_lines(request, outcome, is_done=is_done)
    yield from _platform_lines(outcome)


def _raw_lines(request: Request, outcome: Outcome, *, is_done: bool) -> Iterator[str]:
    """Write which raw tables have the person, and what becomes of that."""
    for held in outcome.raw:
        rows = plural(held.rows, "row")
        if held.table in outcome.erased:
            yield f"  raw {held.table}: {rows} erased"
        elif not held.is_ours:
            yield f"  raw {held.table}: {rows} left; the models do not read this table, and nothing here erases it"
        elif request.erase_raw and not is_done:
            yield f"  raw {held.table}: {rows} to erase"
        else:
            yield f"  raw {held.table}: {rows} left; they are the shop's own (--erase-raw erases them)"


def _platform_lines(outcome: Outcome) -> Iterator[str]:
    """Write what each platform has: nothing there can be deleted from here."""
    for one in outcome.platforms:
        times = " to ".join(dict.fromkeys(f"{at:%Y-%m-%d}" for at in (one.first_at, one.last_at) if at))
        doubt = f", {plural(one.in_doubt, 'event')} in doubt" if one.in_doubt else ""
        yield f"{printable(one.destination_id)} has {plural(one.acked, 'event')}{doubt}, sent {times}."
        about = [name for name in one.fields if name.startswith("user")] or list(one.fields)
        yield f"  What identified the person there: {', '.join(map(printable, about))}"
        yield "  Ask the platform to delete them; from here nothing is deleted there."
