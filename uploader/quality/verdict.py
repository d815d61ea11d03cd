"""The verdict that ``check`` leaves for ``send``: bound to the rows that were judged, and to the thresholds.

It holds for any part of those rows. A file that is missing, damaged, of another version of this package,
or that says anything else than "passed" is not accepted, and never an error: ``send`` judges again.
The seal is a checksum against damage and careless edits, not a signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from uploader import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uploader.quality.report import Report
    from uploader.settings import QualitySettings

FILE: Final = "verdict.json"
FORMAT: Final = 1


def verdict_text(report: Report, digests: Mapping[str, pl.Series]) -> str:
    """Write the verdict as JSON. ``digests``: per destination id, the UInt64 digests of the rows judged."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "passed": report.passed,
        "judged_at": report.judged_at.isoformat(),
        "version": __version__,
        "thresholds_sha256": thresholds_digest(report.thresholds),
        "rows": {name: _pack(digests[name]) for name in sorted(digests)},
    }
    return json.dumps({**content, "seal": _seal(content)}, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Passed:
    """A passing verdict: per destination id, the digests of the rows that it covers, in order."""

    rows: Mapping[str, pl.Series]

    @classmethod
    def read(cls, directory: Path, thresholds: QualitySettings) -> Passed | None:
        """Return the verdict in ``directory``, if there is one that passed under these thresholds."""
        content = _read(directory / FILE)
        rows = content.get("rows")
        if (
            content.get("passed") is not True
            or content.get("version") != __version__
            or content.get("thresholds_sha256") != thresholds_digest(thresholds)
            or not isinstance(rows, dict)
        ):
            return None
        unpacked = {name: _unpack(packed) for name, packed in rows.items()}
        return cls({name: digests for name, digests in unpacked.items() if digests is not None})

    def covers(self, destination_id: str, wanted: pl.Series) -> bool:
        """Say whether all these rows, by their UInt64 digests, are among those judged."""
        if wanted.is_empty():
            return True
        judged = self.rows.get(destination_id)
        if judged is None or judged.is_empty() or wanted.dtype != pl.UInt64 or wanted.null_count():
            return False
        places = judged.search_sorted(wanted).clip(upper_bound=judged.len() - 1)
        return bool((judged.gather(places) == wanted).all())


def accepts(directory: Path, digests: Mapping[str, pl.Series], thresholds: QualitySettings) -> bool:
    """Say whether a passing verdict in ``directory`` covers all these rows, under these thresholds."""
    passed = Passed.read(directory, thresholds)
    return passed is not None and all(passed.covers(name, wanted) for name, wanted in digests.items())


def thresholds_digest(thresholds: QualitySettings) -> str:
    """Return a digest that changes with each threshold."""
    # 10 and 10.0 are the same threshold: a default is not converted as a configured one is.
    limits = {
        name: float(value) if isinstance(value, int) else value for name, value in thresholds.model_dump().items()
    }
    text = json.dumps(limits, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _pack(digests: pl.Series) -> str:
    numbers = digests.cast(pl.UInt64).drop_nulls().unique().sort().to_numpy()
    return base64.b64encode(numbers.astype("<u8", copy=False).tobytes()).decode("ascii")


def _unpack(packed: object) -> pl.Series | None:
    if not isinstance(packed, str):
        return None
    try:
        numbers = np.frombuffer(base64.b64decode(packed, validate=True), dtype="<u8")
    except (binascii.Error, ValueError):
        return None
    return pl.Series(numbers.astype(np.uint64, copy=False), dtype=pl.UInt64)


def _read(path: Path) -> dict[str, Any]:
    """Return the content of an intact verdict, or nothing."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return {}
    seal = content.pop("seal", None)
    return content if seal == _seal(content) else {}


def _seal(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
