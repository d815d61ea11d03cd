"""The sent log forgets a person: no row, no byte, no copy; and everybody else's rows are as they were."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.support.at_once import changes_since
from tests.support.delivering import NOW
from tests.support.two_kinds import META, Log, keys, send
from uploader.errors import LedgerRegression, TryLater
from uploader.ledger import Publication, SqliteStore, State, reading
from uploader.ledger.erasing import Arrived, arrived, forget
from uploader.ledger.summary import counts

if TYPE_CHECKING:
    from collections.abc import Iterator

MINE = "purchase.person-4711"


def _keys(*ids: str, name: str = "Purchase") -> pl.DataFrame:
    return pl.DataFrame({"event_name": [name] * len(ids), "event_id": list(ids)})


@pytest.fixture
def lived(log: Log) -> Log:
    """A log in which two people's events share batches, verdicts and a name."""
    with log.open() as ledger:
        send(ledger, MINE, "other", state=State.ACKED)
        send(ledger, MINE + ".lead", state=State.RELEASED)
        send(ledger, MINE + ".lead", "doubt")
        send(ledger, MINE, name="Lead", state=State.ACKED)
        ledger.judge(META, keys(MINE + ".old", "old", reason="expired"), State.EXPIRED)
    return log


def _forget(log: Log, *ids: str) -> int:
    with log.open() as ledger:
        return forget(ledger, _keys(*ids))


def test_a_key_goes_with_everything_that_became_of_it(lived: Log) -> None:
    """Batches, verdicts; another name with the same id is another event."""
    assert _forget(lived, MINE, MINE + ".lead", MINE + ".old") == 4
    assert lived.states() == {"other": ("acked", None), "doubt": ("intent", None), "old": ("expired", "expired"),
                              MINE: ("acked", None)}  # fmt: skip
    with lived.open() as ledger:
        assert forget(ledger, _keys(MINE, name="Lead")) == 1
        assert reading.history(ledger, MINE) == []
    assert MINE not in repr(lived.content())


def test_the_counts_still_add_up(lived: Log) -> None:
    """What is acked is counted by batch, so a batch forgets how many it had, too."""
    _forget(lived, MINE, MINE + ".lead")
    with lived.reader() as ledger:
        assert {state: rows for state, rows in counts(ledger)[META].items() if rows} == {
            "acked": 2, "intent": 1, "expired": 2,
        }  # fmt: skip
    assert [row[7] for row in lived.content()["batch"]] == [1, 1, 1]


def test_the_shorter_log_is_no_older_one(lived: Log) -> None:
    """Manifest and publication compare the number of the last change, which stays and goes on."""
    with lived.open() as ledger:
        published = Publication(ledger.ledger_id, ledger.high_water)
    _forget(lived, MINE, "other", "doubt", MINE + ".lead", MINE + ".old", "old")
    with lived.open(published=published) as ledger:
        assert ledger.high_water == published.high_water
        send(ledger, "next", state=State.ACKED)
        assert changes_since(ledger, published.high_water)["event_id"].to_list() == ["next"]
    with pytest.raises(LedgerRegression), lived.open(published=Publication("another", 1)):
        pass


def test_forgetting_again_changes_nothing(lived: Log) -> None:
    """A run that was killed in the middle is simply repeated."""
    _forget(lived, MINE)
    before = lived.content()["batch_event"]
    assert _forget(lived, MINE, "never seen") == 0
    assert lived.content()["batch_event"] == before


def test_nothing_is_forgotten_when_another_run_has_written(lived: Log) -> None:
    """A writer that is not alone any more stops."""
    with lived.open() as ledger, lived.open("another") as other:
        send(other, "b")
        with pytest.raises(TryLater, match="Another run has written"):
            forget(ledger, _keys(MINE))
    assert MINE in lived.states()


def test_it_says_what_a_platform_has(log: Log) -> None:
    """Taken, in doubt, when, and which fields left; a refused try says nothing."""
    with log.open() as ledger:
        send(ledger, "a", "not mine", state=State.ACKED)
        log.clock.now = NOW + timedelta(hours=1)
        send(ledger, "b")
        send(ledger, "c", state=State.RELEASED)
        found = arrived(ledger, _keys("a", "b", "c", "d"))
        assert arrived(ledger, _keys("d")) == arrived(ledger, _keys()) == []
    assert found == [Arrived(META, 1, 1, NOW, NOW + timedelta(hours=1), ("event_id", "currency"))]


def test_no_file_and_no_table_has_it(lived: Log, tmp_path: Path) -> None:
    """The log itself, what stands beside it, every copy, and what a server keeps about values."""
    with lived.open(locked=True) as ledger:
        ledger.store.back_up(lived.clock)
        forget(ledger, pl.concat([_keys(MINE, MINE + ".lead", MINE + ".old"), _keys(MINE, name="Lead")]))
        ledger.store.scrub(lived.clock)
        assert MINE not in repr(ledger.store.rows(*_statistics(ledger.store)))
    assert MINE not in repr(lived.content())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files if MINE.encode() in path.read_bytes()] == []
    assert set(lived.states()) == {"other", "doubt", "old"}


def _statistics(store: Any) -> tuple[str, dict[str, Any]]:
    """Return the query for what the engine remembers of values beside the tables."""
    if isinstance(store, SqliteStore):
        return "select name, sql from sqlite_schema", {}
    return "select most_common_vals::text, histogram_bounds::text from pg_stats where tablename = 'batch_event'", {}


# ---------------------------------------------------------------- files


@contextmanager
def _filed(tmp_path: Path) -> Iterator[Log]:
    log = Log(lambda: SqliteStore(tmp_path / "sent_log.sqlite"))
    with log.open() as ledger:
        send(ledger, MINE, "other", state=State.ACKED)
    yield log


def test_one_new_copy_takes_the_place_of_all(tmp_path: Path) -> None:
    """Backups and logs that were put aside have the person; the new one can be restored."""
    with _filed(tmp_path) as log, log.open() as ledger:
        ledger.store.back_up(log.clock)
        aside = tmp_path / "sent_log.sqlite.backups" / "20260101T000000000000"
        aside.mkdir()
        (aside / "sent_log.sqlite").write_text(MINE, encoding="utf-8")
        forget(ledger, _keys(MINE))
        log.clock.now += timedelta(seconds=1)
        assert ledger.store.scrub(log.clock) == 2
    (copy,) = (tmp_path / "sent_log.sqlite.backups").iterdir()
    assert MINE.encode() not in copy.read_bytes()
    assert b"other" in copy.read_bytes()


def test_a_reader_puts_it_off(tmp_path: Path) -> None:
    """While somebody reads the file, its old pages stay: the command says so, and is run again."""
    with _filed(tmp_path) as log, log.open() as ledger:
        with log.reader():
            forget(ledger, _keys(MINE))
            with pytest.raises(TryLater, match="is being read"):
                ledger.store.scrub(log.clock)
        ledger.store.scrub(log.clock)
    assert MINE.encode() not in (tmp_path / "sent_log.sqlite").read_bytes()
