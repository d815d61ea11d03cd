"""The gate: may this batch leave? Polars computes the columns, Great Expectations judges them."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Final

import polars as pl

from uploader.clock import naive
from uploader.quality.due import Due, reason, require_names
from uploader.quality.expectations import Expected, Found, validate
from uploader.quality.report import Check, Report, found, shown_key
from uploader.quality.rules import RowRule, row_rules
from uploader.quality.shares import SHARE_RULES, Batch, Measure, ShareRule, measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from uploader.settings import QualitySettings

ROWS: Final = "rows due"
SHARES: Final = "shares of the window"
NOTHING: Final = Measure({}, None, 0, 0, ())


def judge(
    due: Due,
    window: pl.DataFrame,
    bands: pl.DataFrame,
    thresholds: QualitySettings,
    *,
    judged_at: datetime,
) -> Report:
    """Judge a batch.

    ``due`` holds what is known of the rows about to be sent (may be none). ``window`` holds every outbox row of
    the sendable window, held ones included: ``destination, event_key, event_name, event_id, event_at, is_sendable,
    hold_reason, value, currency, external_id_sha256, has_pixel_duplicate``.
    ``bands`` holds the history of each currency: ``currency, median, rows``. ``judged_at`` is aware.
    """
    require_names("window", window)
    batch = Batch(due.rows, _meant_to_go(window), bands, thresholds, naive(judged_at))
    row_checks, of_rows = judge_rows(due, row_rules(), judged_at)
    share_checks, of_shares = judge_shares(batch, SHARE_RULES, judged_at)
    return Report(
        checks=(*share_checks, *row_checks),
        rows_due=due.height,
        rows_window=window.height,
        judged_at=judged_at,
        thresholds=thresholds,
        validations=(of_shares, of_rows),
    )


def judge_rows(due: Due, rules: Iterable[RowRule], judged_at: datetime) -> tuple[list[Check], object]:
    """Judge each row due by each rule. A rule that could not be computed has errored."""
    rules = tuple(rules)
    results, validation = validate(ROWS, due.values, [_expected(rule) for rule in rules], judged_at)
    checks = [
        replace(
            _row_check(rule, one),
            examples=_keys(due.rows, one.positions),
            detail=_detail(rule.column, one, due.broken),
        )
        for rule, one in zip(rules, results, strict=True)
    ]
    return checks, validation


def judge_shares(batch: Batch, rules: Iterable[ShareRule], judged_at: datetime) -> tuple[list[Check], object]:
    """Measure each share per destination and judge the worst. One that cannot be computed has errored."""
    measures: dict[str, Measure] = {}
    broken: dict[str, str] = {}
    drafts = []
    for rule in rules:
        try:
            measures[rule.column] = measure(rule, batch)
        except pl.exceptions.PolarsError as error:
            broken[rule.column] = reason(error)
        limit = rule.limit(batch.thresholds)
        drafts.append(_share_check(rule, measures.get(rule.column, NOTHING), limit))
    expected = [_expected_share(draft, broken.get(draft.column)) for draft in drafts]
    results, validation = validate(SHARES, _rates(measures), expected, judged_at)
    checks = [
        replace(draft, outcome=one.outcome, detail=_detail(draft.column, one, broken))
        for draft, one in zip(drafts, results, strict=True)
    ]
    return checks, validation


def _meant_to_go(window: pl.DataFrame) -> pl.DataFrame:
    """Leave out the destinations that are switched off, and events that have no route to theirs."""
    if "hold_reason" not in window.columns:
        return window
    disabled = window.filter(pl.col("hold_reason") == "destination_disabled")["destination"].unique()
    return window.filter(
        pl.col("destination").is_in(disabled.implode()).not_(), pl.col("hold_reason").ne_missing("not_routed")
    )


def _expected(rule: RowRule) -> Expected:
    text = f"<strong>{escape(rule.name)}.</strong> {escape(rule.advice)}"
    match rule.expect:
        case "holds":
            return Expected("ExpectColumnValuesToBeInSet", rule.column, text, (("value_set", [True]),))
        case "present":
            return Expected("ExpectColumnValuesToNotBeNull", rule.column, text)
        case "not_negative":
            return Expected("ExpectColumnValuesToBeBetween", rule.column, text, (("min_value", 0),))
        case "one_of":
            values = list(rule.allowed)
            return Expected("ExpectColumnValuesToBeInSet", rule.column, text, (("value_set", values),))


def _detail(column: str, one: Found, broken: Mapping[str, str]) -> str | None:
    return broken.get(column, one.detail) if one.outcome == "errored" else None


def _keys(rows: pl.DataFrame, positions: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(rows[list(positions)].select(shown_key()).to_series().unique(maintain_order=True).to_list())


def _row_check(rule: RowRule, one: Found) -> Check:
    return Check(
        name=rule.name,
        column=rule.column,
        kind="row",
        outcome=one.outcome,
        observed=one.unexpected / one.judged if one.judged else None,
        limit=0.0,
        judged=one.judged,
        unexpected=one.unexpected,
        examples=(),
        advice=rule.advice,
    )


def _share_check(rule: ShareRule, measured: Measure, limit: float) -> Check:
    """Write down what was measured; the outcome comes from Great Expectations."""
    return Check(
        name=rule.name,
        column=rule.column,
        kind="share",
        outcome="passed",
        observed=measured.observed,
        limit=limit,
        judged=measured.judged,
        unexpected=measured.unexpected,
        examples=measured.examples,
        advice=rule.advice,
        where=measured.where,
    )


def _expected_share(draft: Check, problem: str | None) -> Expected:
    text = f"<strong>{escape(draft.name)}.</strong> {escape(problem or found(draft))}. {escape(draft.advice)}"
    return Expected("ExpectColumnMaxToBeBetween", draft.column, text, (("max_value", draft.limit),))


def _rates(measures: dict[str, Measure]) -> pl.DataFrame:
    """Lay the shares out as Great Expectations judges them: a row per destination, a column per share."""
    places = sorted({place for measured in measures.values() for place in measured.rates}) or ["(none)"]
    columns = {
        column: pl.Series([measured.rates.get(place, 0.0) for place in places], dtype=pl.Float64)
        for column, measured in measures.items()
    }
    return pl.DataFrame({"destination": places, **columns})
