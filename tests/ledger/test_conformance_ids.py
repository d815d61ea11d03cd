"""A run that writes very many events leaves the index by id out: nothing reads otherwise, and it comes back."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.support.delivering import NOW
from tests.support.two_kinds import META, Log, events, keys, send
from uploader.errors import LedgerRegression, TryLater, UploaderError
from uploader.ledger import Ledger, SqliteStore, State, Store, reading, summary, upkeep
from uploader.ledger.ids import expect
from uploader.settings import LedgerSettings

MANY = 1_000_000


def has_index(store: Store) -> bool:
    """Look for the index in the schema; a server's is never left out."""
    return "PostgreSQL" in str(store) or bool(
        store.rows("select 1 from sqlite_schema where name = 'batch_event_by_id'", {})
    )


def told(ledger: Ledger) -> list[object]:
    """Ask everything that is asked by id."""
    groups = [(group.state, group.rows, group.examples) for group in summary.groups(ledger, META)]
    states = reading.states_of(ledger, META, ["a", "b", "c", "nobody"]).sort("event_id").rows()
    stories = [[(entry["state"], entry["by"]) for entry in reading.history(ledger, key)] for key in "abc"]
    held = summary.keys_in(ledger, META, State.HELD, summary.Wanted(event_ids=["b"]))["event_id"].to_list()
    return [groups, states, stories, held]


@pytest.fixture
def half(log: Log) -> Log:
    """A log that a run which expected very much left in its middle."""
    with log.open() as ledger:
        first = send(ledger, "a", "b")
        ledger.settle(first, State.ACKED)
        ledger.judge(META, keys("b", reason="asked", was_in_doubt=True), State.HELD)
        expect(ledger, MANY)
        send(ledger, "c")
    return log


def test_who_only_reads_finds_the_same_without_the_index(half: Log) -> None:
    """It writes nothing for that, and what the next run finds, with the index, is the same."""
    with half.connection() as store:
        assert has_index(store) == ("PostgreSQL" in str(store))
    before = half.content()
    with half.reader() as ledger:
        read = told(ledger)
    with half.open() as ledger:
        assert told(ledger) == read
        assert has_index(ledger.store)
    assert half.content() == before
    assert read[2] == [[("acked", "run")], [("acked", "run"), ("held", "run")], [("intent", "run")]]


def test_who_has_no_room_for_a_copy_is_told_where_to_make_some(half: Log) -> None:
    """A server needs none."""
    with half.reader() as ledger:
        if "PostgreSQL" in str(ledger.store):
            assert told(ledger)
            return
        ledger.store.execute("pragma temp.max_page_count = 1", {})
        with pytest.raises(TryLater, match=r"no room to look into .* TMPDIR; `uploader send` needs less"):
            told(ledger)


def test_a_full_disk_may_have_ended_the_reading_already(half: Log) -> None:
    """SQLite takes its transaction back by itself then; the message is the same."""

    def copy(store: Store) -> None:
        with store.snapshot() if isinstance(store, SqliteStore) else nullcontext():
            store.execute("rollback", {})
            raise TryLater("no room")

    with half.reader() as ledger, pytest.raises(TryLater, match="no room"):
        copy(ledger.store)


def test_a_run_that_has_no_room_for_the_index_still_keeps_a_copy(half: Log) -> None:
    """The log's own disk may be full, too; what was sent is on it, and a server needs nothing of us."""
    with half.open() as ledger:
        if "PostgreSQL" in str(ledger.store):
            return
        for statement in ("vacuum", "pragma max_page_count = 1"):
            ledger.store.execute(statement, {})
        with pytest.raises(TryLater, match=r"no room to look into .* TMPDIR\.$"):
            upkeep.keep(ledger, half.clock, LedgerSettings())
        copies = list(Path(str(ledger.store)).with_name("sent_log.sqlite.backups").iterdir())
        assert (len(copies), has_index(ledger.store)) == (1, False)


def test_a_damaged_log_is_not_told_as_one_without_room(half: Log) -> None:
    """A copy of its events reads all of them: exit 3."""
    with half.connection() as store:
        if "PostgreSQL" in str(store):
            return
        page = store.rows("select rootpage from sqlite_schema where name = 'batch_event'", {})[0][0]
    with Path(str(store)).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    with half.reader() as ledger, pytest.raises(LedgerRegression, match="Restore it from a backup"):
        told(ledger)


def test_who_reads_a_copy_sees_one_moment(half: Log) -> None:
    """A run takes an intent back, and its batch's number goes to another one, which is taken: 'x' never was."""
    with half.open() as ledger:
        expect(ledger, MANY)
        taken_back = send(ledger, "x")
        with half.reader() as reader:
            assert [entry["state"] for entry in reading.history(reader, "x")] == ["intent"]
            ledger.advance((), (), recalled=[taken_back])
            send(ledger, "y", state=State.ACKED)
            assert "acked" not in [entry["state"] for entry in reading.history(reader, "x")]


def test_the_books_of_a_small_destination_need_no_index(half: Log) -> None:
    """It may end long before a large one does, for which the index was left out."""
    with half.open() as ledger:
        send(ledger, "d", "e", at=NOW, state=State.ACKED)
        found = reading.states_for(ledger, META, events("d", "e", at=NOW), at_other_times=False)
        assert (found.height, set(found["state"])) == (2, {"acked"})
        assert has_index(ledger.store) == ("PostgreSQL" in str(ledger.store))


def test_the_end_of_a_run_brings_the_index_back(half: Log) -> None:
    """Before the log is copied and judged for what may be forgotten."""
    with half.open() as ledger:
        upkeep.keep(ledger, half.clock, LedgerSettings())
        assert has_index(ledger.store)


def test_a_verdict_that_knows_its_batch_needs_no_index(half: Log) -> None:
    """One that does not know it brings the index back; both count from the key's last batch on."""
    with half.open() as ledger:
        last = send(ledger, "d", "e")
        ledger.judge(META, keys("d", reason="r", batch_id=last), State.DEAD)
        assert has_index(ledger.store) == ("PostgreSQL" in str(ledger.store))
        ledger.judge(META, keys("e", reason="r"), State.DEAD)
        assert has_index(ledger.store)
        assert set(reading.states_of(ledger, META, ["d", "e"])["batch_id"]) == {last}
        assert set(reading.states_of(ledger, META, ["d", "e"])["state"]) == {"dead"}


def test_few_events_are_no_reason_to_make_the_index_anew(log: Log) -> None:
    """Less than a quarter of what is known, or less than a hundred thousand."""
    with log.open() as ledger:
        expect(ledger, 99_999)
        assert has_index(ledger.store)
        send(ledger, "a", state=State.ACKED)
        ledger.store.execute("update batch set events = 400004", {})
        expect(ledger, 100_000)
        assert has_index(ledger.store)
        expect(ledger, 100_001)
        assert has_index(ledger.store) == ("PostgreSQL" in str(ledger.store))


def test_another_run_is_still_noticed(half: Log) -> None:
    """To leave the index out is no change of what the log says."""
    with half.open() as first, half.open("other") as second:
        mark = first.high_water
        expect(first, MANY)
        expect(second, MANY)
        send(first, "x")
        with pytest.raises(UploaderError, match="Another run has written"):
            send(second, "y")
        assert first.high_water == mark + 1
        assert first.written_at == int(NOW.timestamp() * 1_000_000)


def test_what_is_in_doubt_is_known_by_its_last_try(log: Log) -> None:
    """Its content then is what a platform may have; what was taken is not asked about."""
    with log.open() as ledger:
        send(ledger, "a", "b")
        send(ledger, "a", first=NOW, payload=b"n" * 16)
        send(ledger, "c", state=State.ACKED)
    with log.reader() as ledger:
        hashes = reading.payload_hashes(ledger, META, ["a", "b", "c", "unknown"]).sort("event_id")
        assert hashes.rows() == [("Purchase", "a", b"n" * 16), ("Purchase", "b", b"h" * 16)]
