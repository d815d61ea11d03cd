"""A sent log on either engine, at the place where the commands look for it, and lives of keys in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support.delivering import NOW
from uploader.clock import microseconds
from uploader.ledger import Intent, Ledger, SqliteStore, State, Store

ENGINES = ("sqlite", "postgres")
META = "meta:42"


def place(engine: str, request: pytest.FixtureRequest, folder: Path) -> Store:
    """Return an empty place for a sent log; in PostgreSQL the settings of the commands name it."""
    if engine == "sqlite":
        return SqliteStore(folder / "sent_log.sqlite")
    from uploader.ledger.postgres import PostgresStore

    url = request.getfixturevalue("postgres").fresh()
    patch = request.getfixturevalue("monkeypatch")
    patch.setenv("UPLOADER__LEDGER__URL_ENV", "SENT_LOG_URL")
    patch.setenv("SENT_LOG_URL", url)
    return PostgresStore(url)


def purchases(ids: Iterable[str], hours_ago: float) -> pl.DataFrame:
    """Return keys of that age."""
    at = microseconds(NOW - timedelta(hours=hours_ago))
    return pl.DataFrame([{"event_name": "Purchase", "event_id": event_id, "event_at": at} for event_id in ids])


def sent(
    ledger: Ledger,
    ids: Iterable[str],
    *,
    hours_ago: float = 2,
    to: str = META,
    first_intent_at: datetime | None = None,
) -> int:
    """Intend to send Purchases of that age in one batch, and return its number."""
    events = purchases(ids, hours_ago).with_columns(
        first_intent_at=pl.lit(microseconds(first_intent_at) if first_intent_at else None, pl.Int64),
        consent_at=pl.lit(None, pl.Int64),
        payload_hash=pl.lit(b"0123456789abcdef"),
        fields=pl.lit(1, pl.Int64),
    )
    return ledger.intend(Intent(to, events, ["event_id"], NOW))


def judged(
    ledger: Ledger, ids: Iterable[str], state: State, reason: str, *, hours_ago: float = 2, to: str = META
) -> None:
    """Pass a verdict on Purchases."""
    keys = purchases(ids, hours_ago).with_columns(reason=pl.lit(reason), was_in_doubt=state is State.HELD)
    ledger.judge(to, keys, state)


def held(ledger: Ledger, ids: Iterable[str], reason: str = "past_dedup_window", *, hours_ago: float = 2) -> None:
    """Lose the answer to a batch, and hold it."""
    known = list(ids)
    sent(ledger, known, hours_ago=hours_ago)
    judged(ledger, known, State.HELD, reason, hours_ago=hours_ago)


def dead(ledger: Ledger, event_id: str, code: str = "100/2804050") -> None:
    """Have one event refused by itself."""
    ledger.settle(sent(ledger, [event_id]), State.DEAD, code, "Atrace")


def live(ledger: Ledger, destination_id: str, steps: Iterable[tuple[Iterable[str], str]]) -> dict[str, str]:
    """Lead keys through their lives as runs and people do, and return the state in which each of them ends.

    A step is a set of keys and a word: what became of their batch, or of them without one, or ``requeued``.
    """
    ended: dict[str, str] = {}
    for keys, word in steps:
        may = ("dead", "held", "acked") if word == "requeued" else (None, "intent", "released")
        chosen = sorted(key for key in keys if ended.get(key) in may)
        state = State.RELEASED if word == "requeued" else State(word)
        if not chosen:
            continue
        if word in ("requeued", "held", "suppressed", "expired"):
            judged(ledger, chosen, state, word, to=destination_id)
        else:
            batch = sent(ledger, chosen, to=destination_id)
            if state is not State.INTENT:
                ledger.settle(batch, state, "code")
        ended |= dict.fromkeys(chosen, str(state))
    return ended
