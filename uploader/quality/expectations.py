"""The one place that speaks to Great Expectations: frames and rules in, its results out.

It runs from memory alone: no project folder, no analytics, no network. It is imported inside functions,
because importing it takes seconds.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uploader.quality.report import EXAMPLES, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import polars as pl


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation: its class in Great Expectations, the column, and the text that Data Docs show."""

    kind: str
    column: str
    text: str
    arguments: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What Great Expectations found: an expectation that raised has ``errored``, and not failed.

    ``positions`` are those of the first rows that were not as expected.
    """

    outcome: Outcome
    judged: int
    unexpected: int
    positions: tuple[int, ...]
    detail: str | None


def get_ready() -> None:
    """Import Great Expectations, which takes seconds: in a thread, while there is something else to do."""
    with quiet():
        import great_expectations  # noqa: F401 - for later


def validate(
    name: str, frame: pl.DataFrame, expected: Sequence[Expected], judged_at: datetime
) -> tuple[list[Found], Any]:
    """Judge ``frame`` and return what was found, in the order of ``expected``, and the result itself.

    ``frame`` may hold nothing personal: values that are found wrong are shown.
    """
    with quiet():
        result = _run(name, frame, expected, judged_at)
        _make_plain(result)
    by_position = {one.expectation_config.meta["position"]: one for one in result.results}
    return [_read(by_position[position]) for position in range(len(expected))], result


def _run(name: str, frame: pl.DataFrame, expected: Sequence[Expected], judged_at: datetime) -> Any:
    import great_expectations as gx
    from great_expectations import expectations
    from great_expectations.core.run_identifier import RunIdentifier

    context = _context()
    suite = gx.ExpectationSuite(name=name)
    for position, one in enumerate(expected):
        make = getattr(expectations, one.kind)
        suite.add_expectation(
            make(
                column=one.column,
                description=one.text,
                meta={"position": position},
                **dict(one.arguments),
            )
        )
    asset = context.data_sources.add_pandas("outbox").add_dataframe_asset(name)
    definition = gx.ValidationDefinition(
        name=name, data=asset.add_batch_definition_whole_dataframe("all"), suite=context.suites.add(suite)
    )
    return context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame.to_pandas()},
        result_format={
            "result_format": "SUMMARY",
            "partial_unexpected_count": EXAMPLES,
            # Otherwise it writes out the number of every row that is wrong, for a query that nobody asks for.
            "return_unexpected_index_query": False,
        },
        run_id=RunIdentifier(run_name="uploader check", run_time=judged_at),
    )


def _make_plain(result: Any) -> None:
    """Replace numpy's numbers by Python's: the renderer of Data Docs cannot read those of numpy 2."""
    plain = json.loads(json.dumps(result.to_json_dict()))
    for one, figures in zip(result.results, plain["results"], strict=True):
        one.result = figures["result"]


def _context() -> Any:
    """Return a context that lives in memory; the default one would make a folder for its documents."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    return gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Great Expectations from reporting home, and its warnings about itself from the user."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", category)
            warnings.filterwarnings("ignore", module=r"great_expectations\b.*")
            yield
    finally:
        logger.setLevel(level)


def _read(one: Any) -> Found:
    figures = one.result or {}
    judged, unexpected = int(figures.get("element_count") or 0), int(figures.get("unexpected_count") or 0)
    problem = _exception(one.exception_info)
    if problem is not None:
        return Found("errored", judged, 0, (), problem)
    rows = figures.get("partial_unexpected_index_list") or []
    return Found("passed" if one.success else "failed", judged, unexpected, tuple(rows[:EXAMPLES]), None)


def _exception(info: Any) -> str | None:
    """Return the first line of an exception; Great Expectations nests them per metric."""
    parts = [info] if "raised_exception" in info else list((info or {}).values())
    for part in parts:
        if part.get("raised_exception"):
            lines = str(part.get("exception_message") or "no message").strip().splitlines()
            return lines[0].removeprefix("Error: ")[:300]
    return None
