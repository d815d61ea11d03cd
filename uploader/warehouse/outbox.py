"""Read what dbt decided: the outbox, the events behind it, and whether the last build passed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.errors import ConfigurationError, QualityGateFailed, TryLater
from uploader.events import EVENTS, OUTBOX
from uploader.warehouse.duckdb import Connection, first_row, frame, quoted, table_columns, written_at
from uploader.warehouse.spans import IN_WINDOW, WHOLE, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from uploader.warehouse.profile import Profile

EVENTS_TABLE: Final = "fct_conversion_events"
OUTBOX_TABLE: Final = "fct_conversion_outbox"
ORDERS_WITHOUT_EVENT: Final = "audit_orders_without_event"
PIXEL_DUPLICATES: Final = "audit_pixel_duplicates"
BUILD_FAILURES: Final = "build_failures"

_KEY_COLUMNS: Final = (
    "event_key, event_name, event_id, event_at, destination, is_sendable, hold_reason, expires_at, as_of"
)
_EVENT: Final = "hash(events) as event_digest"
_DECISION: Final = (
    "hash(outbox.destination, outbox.is_sendable, outbox.hold_reason, outbox.expires_at, outbox.is_limited_data_use, "
    "outbox.withheld_fields, outbox.consent_regime, outbox.consent_at_event, outbox.consent_at_as_of) decision_digest"
)
_DIGEST: Final = (
    ((pl.col("event_digest") ^ pl.col("decision_digest")) & 0xFFFF_FFFF).cast(pl.UInt32).alias("row_digest")
)
"""Half of it: of four billion changes one is not noticed, and those of ten million rows take 40 MB less."""
_DECIDED: Final = tuple(name for name in OUTBOX if name not in EVENTS)
_ALL: Final = (*EVENTS, *_DECIDED)
_NAME: Final = ["destination", "event_key"]
_NAMING: Final = ("event_key", "destination", "withheld_fields")
"""What is read of each decision: which row it is about, and what it takes out of that."""
_CHANGED: Final = "Rows changed while this run was sending; what is left is for the next run to judge and to send."


def require_marts(connection: Connection, profile: Profile) -> None:
    """Raise unless both marts have every column of the contract; all missing ones are named at once."""
    missing = []
    for table, contract in ((EVENTS_TABLE, EVENTS), (OUTBOX_TABLE, OUTBOX)):
        present = table_columns(connection, profile.schema, table)
        if not present:
            missing.append(f"  {profile.schema}.{table}: the table itself")
            continue
        missing += [f"  {profile.schema}.{table}.{name}" for name in contract if name not in present]
        found = frame(connection, f"select * from {quoted(profile.schema, table)} limit 0").schema
        missing += [
            f"  {profile.schema}.{table}.{name} as {dtype} (it is {found[name]})"
            for name, dtype in contract.items()
            if name in found and found[name] != dtype
        ]
    if missing:
        text = "\n".join(missing)
        raise ConfigurationError(f"The warehouse {profile.path} lacks:\n{text}\nRun `dbt build`.")


def state(connection: Connection, profile: Profile) -> str:
    """Name the state of the marts: where it is the same a second time, their rows are.

    It is empty where nobody can tell: a view may show what stands elsewhere, and needs no write to change.
    """
    query = (
        "select count(*) from duckdb_tables() where database_name = current_database() and schema_name = ? "
        "and lower(table_name) in (?, ?)"
    )
    found = first_row(connection, query, [profile.schema, EVENTS_TABLE, OUTBOX_TABLE])
    return f"{profile.schema} {written_at(profile)}" if found == (2,) else ""


def build_failures(connection: Connection, profile: Profile) -> list[str]:
    """Return the nodes that failed in their last run or were skipped, and runs that did not end, with their status."""
    if not table_columns(connection, profile.schema, BUILD_FAILURES):
        return []
    query = "select unique_id || ' (' || status || ')' from {} order by status = 'skipped', 1"
    return frame(connection, query.format(quoted(profile.schema, BUILD_FAILURES))).to_series().to_list()


def read_keys(connection: Connection, profile: Profile, since: datetime, span: Span = WHOLE) -> pl.DataFrame:
    """Return the outbox rows that delivery must look at, narrow.

    These are the sendable rows, and the held ones whose time cannot be read or that their destination still accepted
    at ``since`` (UTC without zone), as far as they lie in ``span``. Columns: those of `OUTBOX` that name, time and
    judge a row, ``action_source``, ``order_id`` as it leaves, ``value`` and ``currency``.
    """
    inside, values = span.condition("outbox")
    found = frame(connection, _keys(profile, inside, span.times("events")), values | {"since": since})
    if found["is_alone"].any():  # an event has another time than its decision: it lies anywhere
        found = frame(connection, _keys(profile, inside, "true"), values | {"since": since})
    return found.filter(~pl.col("is_alone")).drop("is_alone")


def _keys(profile: Profile, inside: str, event_inside: str) -> str:
    events, outbox = quoted(profile.schema, EVENTS_TABLE), quoted(profile.schema, OUTBOX_TABLE)
    columns = ", ".join(f"outbox.{name.strip()}" for name in _KEY_COLUMNS.split(","))
    return f"""
        select {columns}, events.action_source, events.value, events.currency,
               case when not contains(coalesce(outbox.withheld_fields, ''), ' order_id ') then events.order_id
               end as order_id,
               events.event_key is null as is_alone
        from {outbox} as outbox
        left join {events} as events on events.event_key = outbox.event_key and {event_inside}
        where {IN_WINDOW} and {inside}
        order by outbox.destination, outbox.event_at, outbox.event_key
    """


def read_digests(connection: Connection, profile: Profile, keys: pl.DataFrame) -> pl.Series:
    """Return the ``row_digest`` (UInt32) of rows, in the order of ``keys`` (as for `read_rows`).

    It changes when anything about the event, or about the decision to send it and with what, does. It is as dear as
    reading the whole row, so only what is due is asked for it.
    """
    found = _joined(connection, profile, keys, f"event_key, {_EVENT}", f"destination, event_key, {_DECISION}")
    known = found.select(*_NAME, _DIGEST)
    if known[_NAME].equals(keys[_NAME]):
        return known["row_digest"]
    one = known.unique(_NAME, keep="any")  # of a key that comes twice, `read_rows` tells
    return keys.join(one, on=_NAME, how="left", maintain_order="left")["row_digest"]


def read_rows(
    connection: Connection, profile: Profile, keys: pl.DataFrame, columns: Collection[str] = _ALL
) -> pl.DataFrame:
    """Return rows, both marts joined, for ``keys`` (``destination``, ``event_key``), in their order.

    They have all columns or, of these, ``columns``: a row is wide, and each destination sends a part of it only. They
    are as they leave: what the outbox withholds is NULL. With ``event_at`` in ``keys``, only that span of the
    marts is read, as far as they lie in the order of time. With ``row_digest`` in ``keys``, rows that are not what they
    were when `read_digests` looked raise `TryLater`.
    """
    shown = [name for name in _ALL if name in columns]
    events = [name for name in EVENTS if name in columns or name == "event_key"]
    decisions = [*_NAMING, *(name for name in _DECIDED if name in columns and name not in _NAMING)]
    is_compared = "row_digest" in keys.columns
    if is_compared:
        events.append(_EVENT)
        decisions.append(_DECISION)
    rows = _joined(connection, profile, keys, ", ".join(events), ", ".join(decisions))
    if is_compared and not rows.select(_DIGEST).to_series().equals(keys["row_digest"]):
        raise TryLater(_CHANGED)
    if not rows[_NAME].equals(keys[_NAME]):
        raise QualityGateFailed(
            f"{EVENTS_TABLE} and {OUTBOX_TABLE} do not fit: {keys.height} rows asked for, {rows.height}"
            f"{'' if rows.height - keys.height else ' others'} found. "
            "None of them was sent. event_key must be unique in both: run `dbt build` and look at its tests."
        )
    return withhold(rows.select(*shown, *({"withheld_fields"} - {*shown}))).select(shown)


def _joined(connection: Connection, profile: Profile, keys: pl.DataFrame, events: str, outbox: str) -> pl.DataFrame:
    """Return columns of both marts, those of ``events`` and ``outbox``, for ``keys`` and in their order."""
    named = keys.select(_NAME)
    connection.register("wanted", named.to_arrow())
    try:
        theirs = "destination in (select destination from wanted)"
        decisions = _half(connection, keys, outbox, f"{quoted(profile.schema, OUTBOX_TABLE)} as outbox where {theirs}")
        half = _half(connection, keys, events, f"{quoted(profile.schema, EVENTS_TABLE)} as events where true")
    finally:
        connection.unregister("wanted")
    # Rows so wide are joined and put in order here: DuckDB takes twice the time for it.
    known = named.join(decisions, on=_NAME, how="inner", maintain_order="left")
    return known.join(half, on="event_key", how="inner", maintain_order="left")


def _half(connection: Connection, keys: pl.DataFrame, columns: str, mart: str) -> pl.DataFrame:
    """Return columns of the rows of ``wanted`` in one mart, and of others in between where they are few.

    ``mart``: its name and a condition on its rows.
    """
    wanted = "event_key in (select event_key from wanted)"
    if "event_at" not in keys.columns or keys.is_empty():
        return frame(connection, f"select {columns} from {mart} and {wanted}")
    inside, ends = "event_at between ? and ?", [keys["event_at"].min(), keys["event_at"].max()]
    (between,) = first_row(connection, f"select count(*) from {mart} and {inside}", ends) or (0,)
    # Looking for each row costs more than reading twice as many.
    is_dense = between < 2 * keys.height
    return frame(connection, f"select {columns} from {mart} and {inside}{'' if is_dense else f' and {wanted}'}", ends)


def withhold(rows: pl.DataFrame) -> pl.DataFrame:
    """Empty, in each row, the columns that its ``withheld_fields`` names.

    Raise `QualityGateFailed` for a name that is no column of an event: something that must not leave could.
    """
    named = withheld_names(rows)
    names = pl.col("withheld_fields").str.split(" ")
    return rows.with_columns(
        pl.when(names.list.contains(name).fill_null(value=False)).then(None).otherwise(pl.col(name)).alias(name)
        for name in sorted(named & set(rows.columns))
    )


def withheld_names(rows: pl.DataFrame) -> set[str]:
    """Return the columns that ``withheld_fields`` names in any row; raise as `withhold` does."""
    named = {name for text in rows["withheld_fields"].drop_nulls().unique() for name in text.split()}
    if unknown := sorted(named - set(EVENTS)):
        raise QualityGateFailed(
            f"{OUTBOX_TABLE} withholds {', '.join(unknown)}, which {EVENTS_TABLE} does not have. Nothing was sent. "
            "Correct seeds/field_groups.csv and run `dbt build`."
        )
    return named


def read_window(connection: Connection, profile: Profile, destinations: Sequence[str]) -> pl.DataFrame:
    """Return the window that shares and duplicate rates are judged over.

    That is every outbox row that its destination still accepted at ``as_of``, held ones included.
    ``has_pixel_duplicate`` says whether the browser's pixel reported the event a second time; NULL: not known.
    ``expects_match`` says whether the destination's events should have a match key.
    """
    events, outbox = quoted(profile.schema, EVENTS_TABLE), quoted(profile.schema, OUTBOX_TABLE)
    fired = quoted(profile.schema, PIXEL_DUPLICATES)
    is_known = bool(table_columns(connection, profile.schema, PIXEL_DUPLICATES))
    has_duplicate = f"outbox.event_key in (select event_key from {fired})" if is_known else "cast(null as boolean)"
    seed = quoted(profile.schema, "destinations")
    says = "expects_match" in table_columns(connection, profile.schema, "destinations")
    others = f"select destination from {seed} where not expects_match" if says else "select null where false"
    return frame(
        connection,
        f"""
        select outbox.destination, outbox.event_key, outbox.event_name, outbox.event_id, outbox.event_at,
               outbox.is_sendable, outbox.hold_reason, events.value, events.currency, events.external_id_sha256,
               {has_duplicate} as has_pixel_duplicate,
               outbox.destination not in ({others}) as expects_match
        from {outbox} as outbox
        inner join {events} as events on events.event_key = outbox.event_key
        where outbox.expires_at >= outbox.as_of and list_contains(?, outbox.destination)
        order by outbox.destination, outbox.event_at, outbox.event_key
        """,
        [list(destinations)],
    )


def read_bands(connection: Connection, profile: Profile, as_of: datetime, history_days: int) -> pl.DataFrame:
    """Return per ``currency`` the ``median`` of the positive values of the last days, and the ``rows`` behind it."""
    events = quoted(profile.schema, EVENTS_TABLE)
    return frame(
        connection,
        f"""
        select currency, cast(median(value) as double) as median, count(*) as rows
        from {events}
        where event_at >= ? and value > 0 and currency is not null
        group by currency
        order by currency
        """,
        [as_of - timedelta(days=history_days)],
    )


def read_tally(connection: Connection, profile: Profile) -> pl.DataFrame:
    """Return the outbox counted.

    Columns: ``destination``, ``event_name``, ``hold_reason`` (NULL: sendable), ``currency``, ``rows``, ``value``.
    """
    events, outbox = quoted(profile.schema, EVENTS_TABLE), quoted(profile.schema, OUTBOX_TABLE)
    return frame(
        connection,
        f"""
        select outbox.destination, outbox.event_name, outbox.hold_reason, events.currency,
               count(*) as rows, cast(sum(events.value) as decimal(38, 4)) as value
        from {outbox} as outbox
        inner join {events} as events on events.event_key = outbox.event_key
        group by all
        order by all
        """,
    )


def read_withheld(connection: Connection, profile: Profile) -> pl.DataFrame:
    """Return what policies withhold of sendable rows: ``destination``, ``withheld_fields`` and ``rows``."""
    outbox = quoted(profile.schema, OUTBOX_TABLE)
    return frame(
        connection,
        f"select destination, withheld_fields, count(*) as rows from {outbox} "
        "where is_sendable and withheld_fields is not null group by all order by all",
    )


def read_orders_without_event(connection: Connection, profile: Profile) -> pl.DataFrame:
    """Return how many orders make no event, by ``reason``: ``reason`` and ``rows``."""
    if not table_columns(connection, profile.schema, ORDERS_WITHOUT_EVENT):
        return pl.DataFrame(schema={"reason": pl.String, "rows": pl.Int64})
    table = quoted(profile.schema, ORDERS_WITHOUT_EVENT)
    return frame(connection, f"select reason, count(*) as rows from {table} group by all order by all")


def read_as_of(connection: Connection, profile: Profile) -> datetime | None:
    """Return the time that the outbox was decided at (UTC without zone), or None for an empty outbox."""
    outbox = quoted(profile.schema, OUTBOX_TABLE)
    found = first_row(connection, f"select max(as_of) from {outbox}")
    return found[0] if found else None
