"""Both kinds of sent log forget the same: what is too old to be sent again, and nothing that is not finished."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.delivering import NOW
from tests.support.two_kinds import META, Log, keys, send
from uploader.errors import TryLater
from uploader.ledger import State, reading, upkeep
from uploader.settings import LedgerSettings

LATER = timedelta(days=110)
FORGOTTEN = ["acked", "released", "released, then taken", "expired"]
KEPT = ["in doubt", "dead", "held", "young"]


@pytest.fixture
def aged(log: Log) -> Log:
    """A log whose rows are a hundred days old, but for one."""
    with log.open() as ledger:
        send(ledger, "acked", "held", state=State.ACKED)
        send(ledger, "released", "released, then taken", state=State.RELEASED, code="4")
        send(ledger, "released, then taken", state=State.ACKED)
        send(ledger, "in doubt")
        send(ledger, "dead", state=State.DEAD, code="100")
        ledger.judge(META, keys("held", reason="asked"), State.HELD)
        ledger.judge(META, keys("expired", reason="expired"), State.EXPIRED)
        log.clock.forward(days=LATER.days)
        send(ledger, "young", at=NOW + LATER, state=State.ACKED)
    return log


def test_what_is_old_and_finished_is_forgotten(aged: Log) -> None:
    """What a person must look at stays however old; the mark does not fall, and the log goes on."""
    before = aged.states()
    with aged.open() as ledger:
        mark = ledger.high_water
        upkeep.keep(ledger, aged.clock, LedgerSettings(retention_days=100))
        assert ledger.high_water == mark
        send(ledger, "next", at=NOW + LATER, state=State.ACKED)
        assert ledger.high_water == mark + 2
        assert reading.history(ledger, "acked") == []
    after = aged.states()
    assert after == {key: before[key] for key in KEPT} | {"next": ("acked", None)}
    assert sorted(set(before) - set(after)) == sorted(FORGOTTEN)


def test_nothing_is_forgotten_before_its_time(aged: Log) -> None:
    """A retention that reaches back far enough keeps everything."""
    before = aged.content()
    with aged.open() as ledger:
        upkeep.keep(ledger, aged.clock, LedgerSettings(retention_days=111))
    assert aged.content() == before


def test_another_run_is_noticed_before_anything_is_forgotten(aged: Log) -> None:
    """Who does not know of the latest change may not forget either."""
    with aged.open() as late:
        with aged.open() as other:
            send(other, "new", at=NOW + LATER, state=State.ACKED)
        before = aged.content()
        with pytest.raises(TryLater, match="Another run has written"):
            upkeep.prune(late, aged.clock() - timedelta(days=100))
        assert aged.content() == before
