"""Both kinds of sent log prove that they are the one that was written last, or nothing is written."""

from __future__ import annotations

import json

import pytest

from tests.support.two_kinds import FIXTURES, LONG_AGO, META, Log, keys, send
from uploader.errors import ConfigurationError, LedgerRegression, UploaderError
from uploader.ledger import Publication, State, migrations, reading, verify

V1_TABLES = ("meta", "destination", "field_set", "batch", "batch_event", "verdict")


@pytest.fixture
def begun(log: Log) -> Log:
    """A log that knows of two events."""
    with log.open() as ledger:
        send(ledger, "a", "b", state=State.ACKED)
    return log


def _published(log: Log) -> Publication:
    with log.reader() as ledger:
        return Publication(ledger.ledger_id, ledger.high_water)


def test_a_first_run_makes_the_log_and_the_next_one_finds_it(log: Log) -> None:
    """Its identity stays, and its mark begins at nothing."""
    assert not log.new_store().exists()
    verify(log.new_store(), None)
    assert not log.new_store().exists()
    with log.open() as ledger:
        first = (ledger.ledger_id, ledger.high_water)
    assert log.new_store().exists()
    with log.open() as ledger:
        assert (ledger.ledger_id, ledger.high_water) == first
    assert first[1] == 0
    assert len(first[0]) == 32


def test_the_log_that_was_published_is_accepted(begun: Log) -> None:
    """Also when it has gone on since."""
    published = _published(begun)
    with begun.open(published=published) as ledger:
        send(ledger, "c", state=State.ACKED)
    verify(begun.new_store(), published)
    with begun.open(published=published):
        pass


def test_a_missing_log_that_was_published_is_noticed(log: Log) -> None:
    """It is not begun anew, by nobody."""
    for attempt in (lambda: verify(log.new_store(), Publication("x", 1)), lambda: _open(log, Publication("x", 1))):
        with pytest.raises(
            LedgerRegression, match="is missing, although the warehouse's table sent_log_meta"
        ) as caught:
            attempt()
        assert caught.value.exit_code == 3
    assert not log.new_store().exists()


def test_an_older_or_a_foreign_log_is_noticed(begun: Log) -> None:
    """By its mark and by its identity; it is left as it is."""
    is_now = _published(begun)
    before = begun.content()
    for published, told in (
        (Publication(is_now.ledger_id, is_now.high_water + 3), "is older than .*: changes that it lacks: 3"),
        (Publication("another", is_now.high_water), "is not the one that the warehouse's table sent_log_meta"),
        (Publication("another", 0), "is not the one"),
    ):
        for attempt in (lambda: verify(begun.new_store(), published), lambda: _open(begun, published)):  # noqa: B023
            with pytest.raises(LedgerRegression, match=told):
                attempt()
    assert begun.content() == before


def test_a_person_can_accept_a_log_that_is_missing_older_or_foreign(log: Log) -> None:
    """--init: what is there is gone on with, what is missing begins anew."""
    with log.open(published=Publication("lost", 7), init=True) as ledger:
        send(ledger, "a", state=State.ACKED)
        first = ledger.ledger_id
    for published in (Publication("another", 0), Publication(first, 99)):
        with log.open(published=published, init=True) as ledger:
            assert ledger.ledger_id == first
    assert log.states() == {"a": ("acked", None)}


def test_a_log_without_its_tables_is_broken_and_not_missing(begun: Log) -> None:
    """A run stops, and the warehouse is not needed to notice; a person can put it aside."""
    with begun.connection() as store:
        store.execute("drop table meta", {})
    for attempt in (lambda: verify(begun.new_store(), None), lambda: _open(begun, None)):
        with pytest.raises(LedgerRegression, match="cannot be read"):
            attempt()
    with begun.open(init=True, locked=True) as ledger:
        send(ledger, "new", state=State.ACKED)
    assert begun.states() == {"new": ("acked", None)}


def test_reading_writes_nothing(begun: Log) -> None:
    """Neither rows nor a newer schema, and a write is refused."""
    before = begun.content()
    with begun.reader() as ledger:
        for write in (lambda: send(ledger, "c"), lambda: ledger.judge(META, keys("a", reason="r"), State.HELD)):
            with pytest.raises(UploaderError):
                write()
    verify(begun.new_store(), _published(begun))
    assert begun.content() == before


def test_a_log_of_a_newer_version_is_left_alone(begun: Log) -> None:
    """Exit 78, for those who read too."""
    with begun.connection() as store:
        store.execute("update meta set value = '99' where key = 'schema_version'", {})
    before = begun.content()
    for attempt in (lambda: _open(begun, None), lambda: _open_to_read(begun)):
        with pytest.raises(ConfigurationError, match=r"written by a newer version \(schema 99\)") as caught:
            attempt()
        assert caught.value.exit_code == 78
    assert begun.content() == before


def test_a_log_of_the_first_version_is_brought_forward(log: Log) -> None:
    """Every key keeps its state, its reason and its first try; the mark is what the rows say."""
    log.make_old("v1", V1_TABLES)
    with pytest.raises(ConfigurationError, match=r"older version \(schema 1, .* brings it forward"):
        _open_to_read(log)
    log.clock.forward(days=1)
    with log.open(published=Publication("x", 0), init=True) as ledger:
        found = reading.states(ledger, META, LONG_AGO)
        changes = ledger.store.rows("select change_no from batch union all select change_no from verdict", {})
        assert ledger.high_water == max(change for (change,) in changes)
        send(ledger, "new", state=State.ACKED)
    columns = ["event_name", "event_id", "state", "reason", "first_intent_at"]
    expected = json.loads((FIXTURES / "v1.json").read_text(encoding="utf-8"))
    assert sorted(map(list, found.select(columns).rows())) == sorted(expected)
    assert dict(log.content()["meta"])["schema_version"] == str(migrations.newest())


def _open(log: Log, published: Publication | None) -> None:
    with log.open(published=published):
        pass


def _open_to_read(log: Log) -> None:
    with log.reader():
        pass
