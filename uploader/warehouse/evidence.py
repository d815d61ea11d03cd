"""Read what proves, for a period, that only what was permitted left: counts, and digests of what they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uploader.errors import ConfigurationError
from uploader.warehouse.duckdb import Connection, first_row, frame, quoted, table_columns
from uploader.warehouse.loading import RAW_TABLES
from uploader.warehouse.outbox import EVENTS_TABLE, OUTBOX_TABLE
from uploader.warehouse.sent_log import TABLE as SENT_LOG

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.warehouse.profile import Profile

VIOLATIONS: Final = "audit_sent_without_consent"


def read_violations(connection: Connection, profile: Profile, begin: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return what left in the period without permission, counted.

    By ``destination_id``, ``event_name``, ``occasion`` (the first time that it left, or the last) and
    ``broken_rule``. ``begin`` counts and ``end`` does not; both are UTC without a zone.
    """
    if not table_columns(connection, profile.schema, VIOLATIONS):
        raise ConfigurationError(f"The warehouse {profile.path} lacks {VIOLATIONS}. Run `dbt build`.")
    return frame(
        connection,
        f"""
        select destination_id, event_name, occasion, broken_rule, count(*) as rows
        from {quoted(profile.schema, VIOLATIONS)}
        where left_at >= $1 and left_at < $2
        group by all
        order by all
        """,
        [begin, end],
    ).to_dicts()


def read_unjudged(connection: Connection, profile: Profile, begin: datetime, end: datetime, as_of: datetime) -> int:
    """Count what left in the period after ``as_of``, the moment as of which the models have judged."""
    if not table_columns(connection, profile.schema, SENT_LOG):
        return 0
    found = first_row(
        connection,
        f"""
        select count(*) from {quoted(profile.schema, SENT_LOG)}
        where
            (first_intent_at >= $1 and first_intent_at < $2 and first_intent_at > $3)
            or (
                state in ('intent', 'acked', 'dead') and updated_at >= $1 and updated_at < $2 and updated_at > $3
                and updated_at > first_intent_at + interval 1 hour
            )
        """,
        [begin, end, as_of],
    )
    return int(found[0]) if found else 0


def read_sent(connection: Connection, profile: Profile, begin: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return what left in the period, counted by destination, event, state and the consent that it rests on.

    A key whose event is in no table any more has no consent to show: its columns are NULL.
    """
    if not table_columns(connection, profile.schema, SENT_LOG):
        return []
    log, outbox = quoted(profile.schema, SENT_LOG), quoted(profile.schema, OUTBOX_TABLE)
    return frame(
        connection,
        f"""
        select log.destination_id, log.event_name, log.state, outbox.consent_purpose, outbox.consent_regime,
               outbox.consent_at_event, outbox.consent_at_as_of, outbox.is_limited_data_use, count(*) as rows
        from {log} as log
        left join (
            from {outbox}
            qualify row_number() over (
                partition by destination, event_name, event_id
                order by is_sendable desc, hold_reason is not distinct from 'duplicate_event_id', event_at, event_key
            ) = 1
        ) as outbox
            on outbox.destination = log.destination and outbox.event_name = log.event_name
            and outbox.event_id = log.event_id
        where log.first_intent_at >= $1 and log.first_intent_at < $2
        group by all
        order by all
        """,
        [begin, end],
    ).to_dicts()


def read_held(connection: Connection, profile: Profile, begin: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return the events of the period that are held, counted by destination, event and reason."""
    return frame(
        connection,
        f"""
        select destination, event_name, hold_reason, count(*) as rows
        from {quoted(profile.schema, OUTBOX_TABLE)}
        where event_at >= $1 and event_at < $2 and not is_sendable
        group by all
        order by all
        """,
        [begin, end],
    ).to_dicts()


def digests(connection: Connection, profile: Profile) -> dict[str, dict[str, Any]]:
    """Return rows and a SHA-256 of each table that the decisions rest on, whatever the order of its rows.

    The digest of a table is that of its rows' digests in their order, taken in 4,096 parts.
    """
    tables = [(profile.raw_schema, name) for name in sorted(RAW_TABLES)]
    tables += [(profile.schema, name) for name in (EVENTS_TABLE, OUTBOX_TABLE, SENT_LOG)]
    return {
        f"{schema}.{name}": _digest(connection, schema, name)
        for schema, name in tables
        if table_columns(connection, schema, name)
    }


def _digest(connection: Connection, schema: str, name: str) -> dict[str, Any]:
    found = first_row(
        connection,
        f"""
        with
        rows as (select sha256(cast(one as varchar)) as digest from {quoted(schema, name)} as one),
        parts as (
            select substr(digest, 1, 3) as prefix, count(*) as rows,
                   sha256(string_agg(digest, '' order by digest)) as digest
            from rows
            group by prefix
        )
        select cast(coalesce(sum(rows), 0) as bigint), sha256(coalesce(string_agg(digest, '' order by prefix), ''))
        from parts
        """,
    )
    rows, digest = found or (0, None)
    return {"rows": rows, "sha256": digest}
