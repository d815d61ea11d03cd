"""A run that ends at any of fourteen moments leaves every event counted once, or named with the reason why not."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.delivering import NOW, Clock
from tests.support.driver_process import KILLED, end, start
from tests.support.failpoints import MOMENTS
from tests.support.failpoints_play import BATCHES, Case, Ending, Play, die, ids_of, on_disk
from tests.support.proof import full
from tests.support.sandbox_events import NOW as EVENTS_OF_THAT_DAY
from tests.support.sandbox_events import post, purchase
from uploader.sandbox import Sandbox

ANSWERS = ("accepted", "refused", "500_after", "reset_after", "hang")
PAUSES = {
    "1 min": timedelta(minutes=1),
    "47 h": timedelta(hours=47),
    "49 h": timedelta(hours=49),
    "8 d": timedelta(days=8),
}

# What a kill leaves behind of the batch that it hits, written down by hand from the protocol: no code said it.
# "-": nothing. "in doubt": an intent, not taken. "taken": an intent, and the platform took it. "released", "acked",
# "dead": that stands in the sent log. After a bar: the second half of the batch. After a colon: its bad event, where
# that is left in another state.
LEFT = {
    #                   accepted          refused              500_after         reset_after       hang
    "before_intent":   ("-",              "-",                 "-",              "-",              "-"),
    "in_intent":       ("-",              "-",                 "-",              "-",              "-"),
    "after_intent":    ("in doubt",       "in doubt",          "in doubt",       "in doubt",       "in doubt"),
    "after_manifest":  ("in doubt",       "in doubt",          "in doubt",       "in doubt",       "in doubt"),
    "before_connect":  ("in doubt",       "in doubt",          "in doubt",       "in doubt",       "in doubt"),
    "mid_send":        ("in doubt",       "in doubt",          "in doubt",       "in doubt",       "in doubt"),
    "after_taken":     ("taken",          "in doubt",          "taken",          "taken",          "in doubt"),
    "after_answer":    ("taken",          "in doubt",          "taken",          "taken",          "in doubt"),
    "in_settle":       ("taken",          "in doubt",          "taken",          "taken",          "taken"),
    "after_settle":    ("acked",          "released",          "acked",          "acked",          "acked"),
    "between_batches": ("acked",          "acked:dead",        "acked",          "acked",          "acked"),
    "in_isolation":    ("acked|released", "released|released", "taken|released", "taken|released", "in doubt|released"),
    "at_closing":      ("acked",          "acked:dead",        "acked",          "acked",          "acked"),
    "in_publication":  ("acked",          "acked:dead",        "acked",          "acked",          "acked"),
}  # fmt: skip

# What becomes of that, by the time between the first run and the next: 1 min, 47 h, 49 h, 8 d. State in the sent log,
# and how often the receiver counted. The platform knows an event again for 48 hours, of which one is kept as a
# margin; it takes events of seven days.
GOOD = {
    "-":        (("acked", 1), ("acked", 1), ("acked", 1), ("expired", 0)),
    "released": (("acked", 1), ("acked", 1), ("acked", 1), ("expired", 0)),
    "in doubt": (("acked", 1), ("acked", 1), ("held", 0), ("held", 0)),
    "taken":    (("acked", 1), ("acked", 1), ("held", 1), ("held", 1)),
    "acked":    (("acked", 1), ("acked", 1), ("acked", 1), ("acked", 1)),
}  # fmt: skip
BAD = {
    "-":        (("dead", 0), ("dead", 0), ("dead", 0), ("expired", 0)),
    "released": (("dead", 0), ("dead", 0), ("dead", 0), ("expired", 0)),
    # Refused now, but nobody can know what became of its first try.
    "in doubt": (("held", 0), ("held", 0), ("held", 0), ("held", 0)),
    "dead":     (("dead", 0), ("dead", 0), ("dead", 0), ("dead", 0)),
}  # fmt: skip


def left_behind(case: Case) -> dict[str, str]:
    """Return what the table says is left of every event."""
    runs_to_the_end = case.moment in ("at_closing", "in_publication")
    left = {
        event_id: "acked" if batch < case.batch or runs_to_the_end else "-"
        for batch in range(BATCHES)
        for event_id in ids_of(batch)
    }
    good, _, bad = LEFT[case.moment][ANSWERS.index(case.answer)].partition(":")
    halves = good.split("|")
    left |= {event_id: halves[position * len(halves) // len(case.ids)] for position, event_id in enumerate(case.ids)}
    return left | ({case.bad: bad} if case.bad and bad else {})


def expected(case: Case, pause: str) -> Ending:
    """Return what the tables say of a case and the pause after it."""
    left, column = left_behind(case), list(PAUSES).index(pause)
    ends = {event_id: (BAD if event_id == case.bad else GOOD)[was][column] for event_id, was in left.items()}
    states = {event_id: state for event_id, (state, _) in ends.items()}
    is_new = any(state in ("dead", "expired", "held") and left[event_id] != state for event_id, state in states.items())
    counted = {event_id: count for event_id, (_, count) in ends.items() if count}
    return Ending(states, counted, published=states, exit_code=2 if is_new else 0)


def test_every_ending_is_the_one_in_the_table(tmp_path: Path, figure: Callable[[str, str], None]) -> None:
    """Wherever a run ends and whenever the next one begins: counted once, or held, expired, dead; never twice."""
    wrong, played = [], 0
    for number, (moment, batch, answer) in enumerate(itertools.product(MOMENTS, range(BATCHES), ANSWERS)):
        case, folder = Case(moment, batch, answer), tmp_path / str(number)
        folder.mkdir()
        begun = Play(case, folder)
        begun.begin()
        for pause, after in PAUSES.items():
            ending = begun.copied(tmp_path / f"{number} {pause}").restart(after)
            played += 1
            if ending != expected(case, pause):
                wrong.append(f"{case}, then {pause}: {ending}, expected {expected(case, pause)}")
    assert not wrong, f"{len(wrong)} of {played}, the first:\n" + "\n".join(wrong[:5])
    figure("D2", f"{played} of {len(MOMENTS) * BATCHES * len(ANSWERS) * len(PAUSES)} endings are the table's")


def test_unwinding_leaves_what_a_kill_leaves(tmp_path: Path) -> None:
    """The cases above end by an exception; a process that is killed at the same moment leaves the same sent log."""
    some = itertools.product(MOMENTS, (1,), ("500_after", "refused"))
    every = itertools.product(MOMENTS, range(BATCHES), ANSWERS)
    for number, (moment, batch, answer) in enumerate(every if full() else some):
        case, killed, unwound = Case(moment, batch, answer), tmp_path / f"{number} killed", tmp_path / f"{number}"
        killed.mkdir()
        unwound.mkdir()
        assert end(start(die, case, killed)) == KILLED
        Play(case, unwound).begin()
        assert on_disk(killed) == on_disk(unwound), case


@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment != "in_isolation"])
@pytest.mark.parametrize(("third", "doubtful"), [(timedelta(hours=47), "acked"), (timedelta(hours=47.1), "held")])
def test_a_run_that_recovers_may_be_killed_too(tmp_path: Path, moment: str, third: timedelta, doubtful: str) -> None:
    """The second run is killed after 46 hours. The third still goes by the first intent, which no resend moves."""
    (tmp_path / "log").mkdir()
    play = Play(Case("after_taken", 0, "accepted"), tmp_path / "log")
    play.begin()
    play.clock.now = NOW + timedelta(hours=46)
    play.case = Case(moment, 0, "accepted")
    play.begin()
    ending = play.restart(third)
    is_settled = MOMENTS.index(moment) >= MOMENTS.index("after_settle")
    assert {ending.states[event_id] for event_id in ids_of(0)} == {"acked" if is_settled else doubtful}
    assert set(ending.counted.values()) == {1}
    assert len(ending.counted) == 12


def test_the_receiver_counts_twice_what_comes_too_late() -> None:
    """So that a resend outside of the platform's memory would show in all of this."""
    clock, found = Clock(), []
    with Sandbox(clock=clock) as sandbox:
        for hours in (0, 47.9, 48, 48.1):
            clock.now = EVENTS_OF_THAT_DAY + timedelta(hours=hours)
            post(sandbox, purchase())
            found.append(sandbox.counts()["1"]["counted"])
    assert found == [1, 1, 1, 2]
