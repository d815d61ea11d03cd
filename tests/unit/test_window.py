"""The window is compared with the sent log a span of time after the other, with the result of a look at all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.support.at_once import due_of, plan, rows_of
from tests.support.delivering import World, target
from tests.support.frames import event_frame
from tests.support.shop import NOW, opened, write_marts
from tests.support.two_kinds import META, keys, send
from uploader.cli.context import Context
from uploader.cli.survey import Choice, candidates, plans
from uploader.clock import microseconds, naive
from uploader.delivery.books import SUMMANDS
from uploader.delivery.exposure import HORIZONS, exposure
from uploader.delivery.planning import MARKS, Plan, Planner, watched_from
from uploader.delivery.run import deliver
from uploader.delivery.surroundings import Surroundings
from uploader.errors import QualityGateFailed
from uploader.ledger import QUARANTINE, Ledger, State
from uploader.warehouse import Profile, outbox, reading
from uploader.warehouse.spans import WHOLE
from uploader.warehouse.window import read_spans, read_strays

SIZES = [1, 2, 3, 7, 1000]
NAMED = ("event_key", "standing", "standing_reason")


def row(key: str, at: str | None, **overrides: Any) -> dict[str, Any]:
    """Return an event of a time of the day (or of none), named by its key where nothing else is said."""
    moment = at and f"2026-11-20T{at}"
    return {"event_key": key, "event_id": key, "order_id": key, "event_at": moment} | overrides


def held(key: str, at: str | None, why: str, **overrides: Any) -> dict[str, Any]:
    """Return an event that may not be sent."""
    return row(key, at, is_sendable=False, hold_reason=why, **overrides)


ROWS = [
    *(row(f"plain.{number}", f"{9 + number % 3:02}:{number * 7 % 60:02}:00") for number in range(12)),
    *(row(f"crowd.{number}", "10:30:00") for number in range(9)),
    row("urgent", "13:00:00", expires_at="2026-11-20T14:30:00"),
    row("twice", "12:00:00"),
    held("twice, before", "08:00:00", "duplicate_event_id", event_id="twice"),
    held("twice, after", "13:30:00", "expired", event_id="twice"),
    row("doubt", "12:10:00"),
    held("doubt, again", "08:30:00", "duplicate_event_id", event_id="doubt"),
    held("withdrawn", "11:11:00", "no_consent"),
    held("too old", "08:10:00", "expired", expires_at="2026-11-20T14:00:01"),
    held("no time", None, "no_event_time", expires_at=None),
    held("no id", "12:20:00", "no_event_id", event_id=None),
    held("no id either", "12:20:00", "no_event_id", event_id=None),
    row("future", "15:00:00"),
    row("sent", "11:00:00"),
    row("moved", "08:20:00"),
]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A sent log in which some are in doubt, one was sent at another time, one's row is gone, one is in quarantine."""
    with World(tmp_path).ledger() as log:
        send(log, "doubt", "withdrawn", "gone")
        send(log, "sent", "moved", state=State.ACKED)
        send(log, "plain.3", state=State.RELEASED, code="2")
        send(log, "plain.4", state=State.RELEASED, code=QUARANTINE)
        until = pl.lit(microseconds(NOW) - 1, pl.Int64)
        log.judge(META, keys("plain.4", reason=QUARANTINE).with_columns(not_before=until), State.RELEASED)
        log.watch(META, naive(NOW))
        yield log


def warehouse(folder: Path, rows: Sequence[dict[str, Any]]) -> Profile:
    """Write both marts."""
    path = folder / "warehouse.duckdb"
    write_marts(path, event_frame(*rows))
    return Profile(path, "main", "raw")


def planned(profile: Profile, ledger: Ledger, most: int, since: datetime | None = None) -> Plan:
    """Compare the warehouse with the sent log, at most so many rows at a time."""
    begun = watched_from(target(), ledger, NOW)
    with reading(profile) as connection:
        spans = read_spans(connection, profile, begun, most)
        planner = Planner(target(), read_strays(connection, profile, begun, spans), ledger, NOW, since)
        for span in spans:
            keys = outbox.read_keys(connection, profile, begun, span)
            planner.add(keys, lambda _id, rows: outbox.read_digests(connection, profile, rows))
    return planner.finish()


@pytest.mark.parametrize("most", SIZES)
def test_spans_hold_every_row_once_in_the_order_of_time_and_few_at_a_time(tmp_path: Path, most: int) -> None:
    """Also the crowd that shares one moment, and the rows that have none."""
    profile = warehouse(tmp_path, ROWS)
    with reading(profile) as connection:
        spans = read_spans(connection, profile, naive(NOW), most)
        found = [outbox.read_keys(connection, profile, naive(NOW), span)["event_key"].to_list() for span in spans]
        ordered = outbox.read_keys(connection, profile, naive(NOW), WHOLE)["event_key"].to_list()
    assert max(len(part) for part in found) <= most
    assert [key for part in found for key in part] == ordered
    assert sorted(ordered) == sorted(one["event_key"] for one in ROWS)


def test_an_empty_window_is_one_empty_span(tmp_path: Path) -> None:
    """So that a run finds what is gone from it."""
    profile = warehouse(tmp_path, [held("expired", "08:00:00", "expired", expires_at="2026-11-20T09:00:00")])
    with reading(profile) as connection:
        (span,) = read_spans(connection, profile, naive(NOW))
        assert outbox.read_keys(connection, profile, naive(NOW), span).is_empty()


@pytest.mark.parametrize("most", SIZES)
@pytest.mark.parametrize("since", [None, NOW - timedelta(hours=3)])
def test_the_size_of_a_span_changes_nothing(tmp_path: Path, ledger: Ledger, most: int, since: datetime | None) -> None:
    """Neither where a row stands nor the order in which the rows leave."""
    profile = warehouse(tmp_path, ROWS)
    with reading(profile) as connection:
        keys = outbox.read_keys(connection, profile, naive(NOW)).with_columns(row_digest=pl.lit(0, pl.UInt32))
    whole = plan(target(), keys, ledger, NOW, since)
    found = planned(profile, ledger, most, since)
    assert due_of(found).drop("row_digest").rows() == due_of(whole).drop("row_digest").rows()
    order = ["standing", "event_key", "event_id"]
    assert rows_of(found).sort(order).rows() == rows_of(whole).sort(order).rows()
    assert (found.watch_from, found.oldest_due) == (whole.watch_from, whole.oldest_due)


@pytest.mark.parametrize("most", SIZES[:-1])
def test_a_command_never_holds_more_rows_than_a_span_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], most: int
) -> None:
    """Neither of what it read nor of what is due; so memory does not grow with the window."""
    with opened(tmp_path, monkeypatch, capsys) as shop:
        shop.sells(*ROWS)
        context, choice = Context.load(), Choice()
        with reading(context.profile) as connection:
            (made,) = plans(context, connection, None, candidates(context, connection, choice), choice, most=most)
    assert max(part.height for part in [*made.standing, *made.queue(most)]) <= most
    assert sum(part.height for part in made.queue(most)) == made.height == len([one for one in ROWS if _is_due(one)])


@pytest.mark.parametrize("most", SIZES)
def test_each_id_stands_in_one_place(tmp_path: Path, ledger: Ledger, most: int) -> None:
    """A row that may be sent goes before its repetitions, wherever these lie; a moved row was sent all the same."""
    found = planned(warehouse(tmp_path, ROWS), ledger, most)
    assert rows_of(found)["event_id"].is_unique().all()
    standing = {key: (where, why) for key, where, why in rows_of(found).select(*NAMED).rows() if not _is_many(key)}
    assert standing == {
        "urgent": ("new", None),
        "twice": ("new", None),
        "doubt": ("resend", None),
        "withdrawn": ("suppressed", "no_consent"),
        "too old": ("expired", "expired"),
        "future": ("waiting", None),
        "sent": ("already", None),
        "moved": ("already", None),
        None: ("held", "row_gone"),
    }


@pytest.mark.parametrize("most", SIZES)
def test_what_leaves_first_does_not_depend_on_its_time(tmp_path: Path, ledger: Ledger, most: int) -> None:
    """What is in doubt, then what expires soon, and last what was in quarantine; in between by time, then by key."""
    keys = due_of(planned(warehouse(tmp_path, ROWS), ledger, most))["event_key"].to_list()
    plain = sorted(
        (f"{9 + number % 3:02}:{number * 7 % 60:02}", f"plain.{number}") for number in range(12) if number != 4
    )
    crowd = [("10:30", f"crowd.{number}") for number in range(9)]
    usual = [key for _, key in sorted([*plain, *crowd, ("12:00", "twice")])]
    assert keys == ["doubt", "urgent", *usual, "plain.4"]


@pytest.mark.parametrize("most", SIZES)
def test_the_books_count_every_part(tmp_path: Path, ledger: Ledger, most: int) -> None:
    """21 plain and crowded ones, the urgent one, those that come twice and were in doubt arrive; each other once."""
    world, made = World(tmp_path), planned(warehouse(tmp_path, ROWS), ledger, most)
    named = pl.DataFrame({"event_key": [one["event_key"] for one in ROWS]})
    rows = pl.concat([event_frame(*ROWS).drop("event_key"), named], how="horizontal")
    parts = [
        part.select("event_key", *MARKS).join(rows, on="event_key", maintain_order="left") for part in made.queue(most)
    ]
    report = deliver(made, parts, Surroundings(ledger, world.platform, world.clock, world.sleep))
    told = {name: count for name, count in report.books.as_dict().items() if count and name in SUMMANDS}
    assert told == {"already": 2, "acked": 24, "waiting": 1, "expired": 1, "suppressed": 1, "held": 1}
    assert (report.books.read, len(world.platform.taken)) == (30, 24)


@pytest.mark.parametrize("most", SIZES)
def test_what_may_be_lost_is_counted_over_every_part(tmp_path: Path, ledger: Ledger, most: int) -> None:
    """24 may still be lost, one of them (the urgent one) within six hours."""
    found = exposure(planned(warehouse(tmp_path, ROWS), ledger, most), NOW)
    assert sum(state.events for state in found.states.values()) == 24
    assert found.at_risk[min(HORIZONS)].events == 1


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ([row("again", "13:00:00", event_id="plain.0")], "2 outbox rows .* have the event id of another row"),
        ([row("plain.0", "13:00:00", event_id="other")], "2 outbox rows .* have the event id of another row"),
        ([row("a", None), row("b", "09:00:00", event_id=None)], "2 outbox rows .* have no event id or time"),
    ],
)
def test_rows_that_could_not_be_kept_apart_stop_the_run(
    tmp_path: Path, ledger: Ledger, bad: list[dict[str, Any]], told: str
) -> None:
    """However far apart they lie, before the first request."""
    with pytest.raises(QualityGateFailed, match=told):
        planned(warehouse(tmp_path, [*ROWS, *bad]), ledger, 3)


def test_an_event_with_another_time_than_its_decision_is_found(tmp_path: Path) -> None:
    """Only where an edited model lets them differ; then the whole of the events is searched."""
    profile = warehouse(tmp_path, ROWS)
    with duckdb.connect(str(profile.path)) as connection:
        connection.execute("update fct_conversion_events set event_at = '2020-01-01' where event_key = 'twice'")
    with reading(profile) as connection:
        spans = read_spans(connection, profile, naive(NOW), 3)
        found = [outbox.read_keys(connection, profile, naive(NOW), span) for span in spans]
    assert sorted(pl.concat(found)["event_key"]) == sorted(one["event_key"] for one in ROWS)


def _is_due(one: dict[str, Any]) -> bool:
    return "hold_reason" not in one and one["event_key"] != "future"


def _is_many(key: str | None) -> bool:
    return key is not None and key.startswith(("plain.", "crowd."))
