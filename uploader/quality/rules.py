"""The rules that each row due must keep, as columns that Great Expectations judges.

Personal columns become booleans here, because Great Expectations prints the values it finds wrong.
A rule may repeat one of the models: it guards against an edited model.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import polars as pl

from uploader.events import EVENTS, IDENTIFIERS
from uploader.quality.currencies import ISO_4217

if TYPE_CHECKING:
    from collections.abc import Iterator

Expect: TypeAlias = Literal["holds", "present", "not_negative", "one_of"]

LONGEST_EVENT_ID: Final = 200
ACTION_SOURCES: Final = (
    "app",
    "business_messaging",
    "chat",
    "email",
    "other",
    "phone_call",
    "physical_store",
    "system_generated",
    "website",
)
"""Where a conversion can happen. See
https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/server-event
(read as of 2026-09-12)."""

NEEDS_VALUE: Final = "Purchase"
"""The one event that must have a value and a currency. See
https://developers.facebook.com/documentation/meta-pixel/reference (read as of 2026-09-12)."""

LOOKED_INTO: Final = (
    *("event_key", "event_name", "event_id", "event_at", "action_source", "value", "currency"),
    *(name for name in EVENTS if name.endswith(("_sha256", "_sha256s"))),
)
"""The columns of `EVENTS` whose values matter to a rule. Of the others it only matters whether there is one."""

HASH_OF_NOTHING: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class RowRule:
    """One rule: what is expected of ``column``, which ``values`` computes from the rows due."""

    column: str
    name: str
    values: pl.Expr
    advice: str
    expect: Expect = "holds"
    allowed: tuple[str, ...] = ()


def row_rules() -> tuple[RowRule, ...]:
    """Return every rule, in the order in which reports show them."""
    return (*_keys(), *_times(), *_money(), *_permission(), *_hashes())


def _present(column: str) -> pl.Expr:
    """Say per row whether a text is there and not blank."""
    return (pl.col(column).str.strip_chars() != "").fill_null(value=False)


def _code(column: str, pattern: str) -> pl.Expr:
    """Keep a value that looks like a code; anything else could be personal and is not shown."""
    text = pl.col(column)
    return pl.when(text.is_null() | text.str.contains(pattern)).then(text).otherwise(pl.lit("(not a code)"))


def _keys() -> Iterator[RowRule]:
    yield RowRule(
        "event_id_is_present",
        "Event id is present",
        _present("event_id"),
        "Without an id the platform counts an event again on each resend: look at the macro event_id.",
    )
    yield RowRule(
        "event_id_is_short",
        f"Event id has at most {LONGEST_EVENT_ID} characters",
        (pl.col("event_id").str.len_chars() <= LONGEST_EVENT_ID).fill_null(value=True),
        "Look at the macro event_id and at raw browser_event_id.",
    )
    yield RowRule(
        "event_name_is_present",
        "Event name is present",
        _present("event_name"),
        "Each model of an event names it: look at int_events__*.",
    )
    yield RowRule(
        "action_source",
        "Action source is present",
        _code("action_source", r"^[a-z_]{1,32}$"),
        "The model of the event decides it: look at int_events__*.",
        "present",
    )
    yield RowRule(
        "action_source",
        "Action source is known",
        _code("action_source", r"^[a-z_]{1,32}$"),
        "The model of the event decides it: look at int_events__*.",
        "one_of",
        ACTION_SOURCES,
    )


def _times() -> Iterator[RowRule]:
    yield RowRule(
        "event_at_is_present",
        "Event time is present",
        pl.col("event_at").is_not_null(),
        "Rows without a readable time are to be held as invalid_time.",
    )
    # Measured at the outbox's own as_of: a row that grew old since the build is delivery's to record.
    yield RowRule(
        "event_at_is_accepted",
        "Event is not older than its destination accepts",
        pl.col("expires_at").is_null() | (pl.col("expires_at") >= pl.col("as_of")).fill_null(value=False),
        "Rows that are too old are to be held as expired: look at fct_conversion_outbox.",
    )


def _money() -> Iterator[RowRule]:
    number = pl.col("value").cast(pl.Float64)
    needs_none = pl.col("event_name") != NEEDS_VALUE
    yield RowRule(
        "value_is_present",
        "Value is present",
        number.is_not_nan().fill_null(value=False) | needs_none,
        f"A {NEEDS_VALUE} without a value is to be held as invalid_value: look at raw orders.total.",
    )
    yield RowRule(
        "value_is_finite",
        "Value is a finite number",
        number.is_finite().fill_null(value=True),
        "Infinity and NaN are to be held as invalid_value: look at raw orders.total.",
    )
    yield RowRule(
        "value",
        "Value is not negative",
        number,
        "Rows below zero are to be held as invalid_value: look at raw orders.total.",
        "not_negative",
    )
    currency = _code("currency", r"^[A-Za-z]{3}$")
    advice = "Without an ISO 4217 code a row is to be held as invalid_currency: look at raw orders.currency."
    present = pl.col("currency").is_not_null() | needs_none
    yield RowRule("currency_is_present", "Currency is present", present, advice)
    yield RowRule("currency", "Currency is a code of ISO 4217", currency, advice, "one_of", ISO_4217)


def _permission() -> Iterator[RowRule]:
    yield RowRule(
        "is_sendable",
        "Row is sendable and has no hold reason",
        (pl.col("is_sendable") & pl.col("hold_reason").is_null()).fill_null(value=False),
        "Only sendable rows may be due: look at fct_conversion_outbox.",
    )
    denied = pl.any_horizontal(
        (pl.col(column) == "denied").fill_null(value=False) for column in ("consent_at_event", "consent_at_as_of")
    )
    asked = (pl.col("consent_regime") == "opt_in").fill_null(value=True)
    given = (pl.col("consent_at_event") == "granted").fill_null(value=False)
    limited = pl.col("is_limited_data_use").fill_null(value=False)
    yield RowRule(
        "consent_is_respected",
        "No row leaves against a consent decision",
        limited | (denied.not_() & (asked.not_() | given)),
        "Denied, withdrawn and missing consent are to be held: look at fct_conversion_outbox.",
    )
    withheld = pl.col("withheld_fields")
    yield RowRule(
        "withheld_fields_are_empty",
        "No field leaves that a policy withholds",
        pl.all_horizontal(
            withheld.str.contains(f" {name} ", literal=True).fill_null(value=False).not_() | pl.col(name).is_null()
            for name in EVENTS
        ),
        "What seeds/field_policy.csv withholds is emptied where rows are read: look at uploader/warehouse/outbox.py.",
    )


def _hashes() -> Iterator[RowRule]:
    for column in IDENTIFIERS:
        text = pl.col(column)
        shape = text.str.contains(r"^[0-9a-f]{64}$") & (text != HASH_OF_NOTHING)
        yield RowRule(
            f"{column}_is_hash",
            f"{column} is a SHA-256 or empty",
            shape.fill_null(value=True),
            "A raw value, or the hash of nothing, must not leave: look at int_events__identified.",
        )
    one = pl.element()
    all_are = one.str.contains(r"^[0-9a-f]{64}$") & (one != HASH_OF_NOTHING)
    for column in (name for name in EVENTS if name.endswith("_sha256s")):
        yield RowRule(
            f"{column}_are_hashes",
            f"{column} are SHA-256",
            pl.col(column).list.eval(all_are.fill_null(value=False)).list.all().fill_null(value=True),
            "A raw value, or the hash of nothing, must not leave: look at int_events__contacted.",
        )
