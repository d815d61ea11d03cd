"""What the sent log amounts to: rows by state and reason, and the keys that wait for a person.

The database counts. What is acked without further ado is counted from the batches, so that neither memory nor
time grows with all that was ever sent, but with what was ever refused, in doubt or judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from uploader.clock import moment
from uploader.ledger.ids import index_ids
from uploader.ledger.states import STATES, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from uploader.ledger.log import Ledger

EXAMPLES: Final = 5
"""How many keys of a group are named."""

# A row of a batch stands when it is the key's last one and no verdict was passed since; a verdict when it is the
# last one and no batch came after it. Asked key by key, by index: a planner without statistics cannot do worse.
# The plus signs keep planners from indices that hold much more than one key: a batch's events, all verdicts.
_LAST_BATCH: Final = """
    select coalesce(max(f.batch_id), 0) from batch_event f join batch c on c.batch_id = f.batch_id
    where f.event_id = {key}.event_id and f.event_name = {key}.event_name and c.destination_no = d.destination_no
"""
_VERDICTS: Final = """
    from verdict w
    where w.destination_no = d.destination_no and w.event_id = {key}.event_id and w.event_name = {key}.event_name
"""
_STANDING: Final = f"""
    with standing as (
        select b.state, b.code as reason, e.event_name, e.event_id, e.event_at,
            case when b.state = 'intent' then e.first_intent_at else b.settled_at end as since,
            b.run_id, b.trace_id, b.run_id as decided_by
        from batch b
        join destination d on d.destination_no = b.destination_no
        join batch_event e on e.batch_id = b.batch_id
        where d.destination_id = :destination and b.state <> 'acked'
            and e.batch_id = ({_LAST_BATCH.format(key="e")})
            and e.batch_id > (select coalesce(max(w.batch_id), -1) {_VERDICTS.format(key="e")})
        union all
        select v.state, v.reason, v.event_name, v.event_id, coalesce(v.event_at, e.event_at), v.decided_at,
            b.run_id, b.trace_id, v.decided_by
        from verdict v
        join destination d on d.destination_no = v.destination_no
        left join batch b on b.batch_id = v.batch_id
        left join batch_event e on +e.batch_id = v.batch_id and e.event_id = v.event_id
            and e.event_name = v.event_name
        where d.destination_id = :destination
            and v.verdict_id = (select max(w.verdict_id + 0) {_VERDICTS.format(key="v")})
            and v.batch_id >= ({_LAST_BATCH.format(key="v")})
    )
"""
_GROUPS: Final = f"""
    {_STANDING}
    select state, reason, total, oldest, since_first, event_id, trace_id from (
        select s.*, count(*) over same as total, min(event_at) over same as oldest, min(since) over same as since_first,
            row_number() over (partition by state, reason order by event_at, event_name, event_id) as position
        from standing s
        window same as (partition by state, reason)
    ) as numbered
    where position <= :examples
    order by state, reason, position
"""
# Only a verdict brings an acked key back, so only there can an acked batch have been overtaken.
_OVERTAKEN: Final = f"""
    select coalesce(sum((
        select count(*) from batch_event e join batch b on b.batch_id = e.batch_id
        where e.event_id = v.event_id and e.event_name = v.event_name and +e.batch_id <= v.batch_id
            and b.destination_no = d.destination_no and b.state = 'acked'
    )), 0)
    from verdict v
    join destination d on d.destination_no = v.destination_no
    where d.destination_id = :destination
        and v.verdict_id = (select max(w.verdict_id + 0) {_VERDICTS.format(key="v")})
"""
_ACKED: Final = """
    from batch b join destination d on d.destination_no = b.destination_no
    where d.destination_id = :destination and b.state = 'acked'
"""
_LISTED: Final = pl.Schema(
    {
        "event_name": pl.String,
        "event_id": pl.String,
        "event_at": pl.Int64,
        "reason": pl.String,
        "since": pl.Int64,
        "run_id": pl.String,
        "trace_id": pl.String,
        "decided_by": pl.String,
    }
)


@dataclass(frozen=True, slots=True)
class Group:
    """The keys of one destination in one state for one reason.

    ``since`` is when the first of them came into it; ``examples`` name up to five, the oldest events first.
    """

    state: str
    reason: str | None
    rows: int
    oldest_event_at: datetime | None
    since: datetime | None
    examples: tuple[str, ...] = ()
    trace_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which keys of a state are asked for: all of them, or those with one of the ids or reasons."""

    event_ids: Sequence[str] | None = None
    reasons: Sequence[str] | None = None


def groups(ledger: Ledger, destination_id: str) -> list[Group]:
    """Return a destination's keys by state and reason, in the order of the states."""
    index_ids(ledger)
    values = {"destination": destination_id, "examples": EXAMPLES}
    found: dict[tuple[str, str | None], Group] = {}
    acked = _plainly_acked(ledger, destination_id)
    if acked.rows:
        found[acked.state, acked.reason] = acked
    for state, reason, rows, oldest, since, event_id, trace_id in ledger.store.rows(_GROUPS, values):
        known = found.get((state, reason))
        examples = (*known.examples, event_id) if known else (event_id,)
        traces = dict.fromkeys((*(known.trace_ids if known else ()), *([trace_id] if trace_id else [])))
        found[state, reason] = Group(state, reason, rows, moment(oldest), moment(since), examples, tuple(traces))
    return sorted(found.values(), key=lambda group: (STATES.index(group.state), group.reason or ""))


def _plainly_acked(ledger: Ledger, destination_id: str) -> Group:
    """Count what a batch's own answer acknowledged; what a person said was sent is a verdict."""
    destination = {"destination": destination_id}
    rows, since = ledger.store.rows(f"select coalesce(sum(b.events), 0), min(b.settled_at) {_ACKED}", destination)[0]
    among = f"select min(e.event_at) from batch_event e where e.batch_id in (select b.batch_id {_ACKED})"
    overtaken = int(ledger.store.rows(_OVERTAKEN, destination)[0][0])
    oldest = ledger.store.rows(among, destination)[0][0]
    return Group(str(State.ACKED), None, int(rows) - overtaken, moment(oldest), moment(since))


def counts(ledger: Ledger) -> dict[str, dict[str, int]]:
    """Return per destination id how many keys are in each state, zeros too."""
    return {name: by_state(groups(ledger, name)) for name in ledger.destinations()}


def by_state(found: Sequence[Group]) -> dict[str, int]:
    """Return how many keys are in each state, zeros too."""
    return {state: sum(group.rows for group in found if group.state == state) for state in STATES}


def keys_in(
    ledger: Ledger, destination_id: str, state: State, wanted: Wanted, limit: int | None = None
) -> pl.DataFrame:
    """Return the keys of a state, by reason and then by age; times in microseconds.

    Columns: ``event_name``, ``event_id``, ``event_at``, ``reason``, ``since`` (when it came into the state),
    ``run_id`` and ``trace_id`` of its last request (NULL without one), ``decided_by``. Not for ``acked``.
    """
    index_ids(ledger)
    values: dict[str, Any] = {"destination": destination_id, "state": str(state)}
    query = f"{_STANDING} select {', '.join(_LISTED.names())} from standing where state = :state"
    for column, name, texts in (("event_id", "ids", wanted.event_ids), ("reason", "reasons", wanted.reasons)):
        if texts is not None:
            condition, listed = ledger.listed(column, name, texts)
            query, values = f"{query} and {condition}", values | listed
    query += " order by reason, event_at, event_name, event_id"
    if limit is not None:
        query, values = f"{query} limit :limit", values | {"limit": limit}
    return ledger.frame(query, values, _LISTED)
