"""The verdict that ``check`` leaves for ``send``: bound to the rows that were judged, and to the thresholds.

It holds for any part of those rows. Files that are missing, damaged, of another version of this package,
or that say anything else than "passed" are not accepted, and never an error: ``send`` judges again.
The seal is a checksum against damage and careless edits, not a signature.

The rows stand in a file of their own, 8 bytes for each: as text, those of ten million took a fifth of the memory of the
run that sends them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from uploader import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from uploader.quality.report import Report
    from uploader.settings import QualitySettings

FILE: Final = "verdict.json"
ROWS_FILE: Final = "verdict.rows"
FORMAT: Final = 2
_WIDTH: Final = 8


def verdict_files(report: Report, digests: Mapping[str, pl.Series]) -> dict[str, bytes]:
    """Return the verdict's files by their names, in the order to write them.

    ``digests``: per destination id, the UInt64 digests of the rows judged. They are written in the order of the
    destination ids, each time sorted, as little-endian numbers; the JSON tells how many there are of each.
    """
    parts = {name: _packed(digests[name]) for name in sorted(digests)}
    rows = b"".join(parts.values())
    content: dict[str, Any] = {
        "format": FORMAT,
        "passed": report.passed,
        "judged_at": report.judged_at.isoformat(),
        "version": __version__,
        "thresholds_sha256": thresholds_digest(report.thresholds),
        "rows": {name: len(part) // _WIDTH for name, part in parts.items()},
        "rows_sha256": hashlib.sha256(rows).hexdigest(),
    }
    text = json.dumps({**content, "seal": _seal(content)}, indent=2) + "\n"
    return {ROWS_FILE: rows, FILE: text.encode()}


@dataclass(frozen=True, slots=True)
class Passed:
    """A passing verdict: per destination id, the digests of the rows that it covers, in order. 8 bytes per row."""

    rows: Mapping[str, NDArray[np.uint64]]

    @classmethod
    def read(cls, directory: Path, thresholds: QualitySettings) -> Passed | None:
        """Return the verdict in ``directory``, if there is one that passed under these thresholds."""
        content = _read(directory / FILE)
        if (
            content.get("passed") is not True
            or content.get("version") != __version__
            or content.get("thresholds_sha256") != thresholds_digest(thresholds)
        ):
            return None
        rows = _rows(directory / ROWS_FILE, content)
        return None if rows is None else cls(rows)

    def covers(self, destination_id: str, wanted: pl.Series) -> bool:
        """Say whether all these rows, by their UInt64 digests, are among those judged."""
        if wanted.is_empty():
            return True
        judged = self.rows.get(destination_id)
        if judged is None or not len(judged) or wanted.dtype != pl.UInt64 or wanted.null_count():
            return False
        asked = wanted.sort().to_numpy()  # in order they are found several times faster
        places = judged.searchsorted(asked).clip(max=len(judged) - 1)
        return bool((judged[places] == asked).all())


def thresholds_digest(thresholds: QualitySettings) -> str:
    """Return a digest that changes with each threshold."""
    # 10 and 10.0 are the same threshold: a default is not converted as a configured one is.
    limits = {
        name: float(value) if isinstance(value, int) else value for name, value in thresholds.model_dump().items()
    }
    text = json.dumps(limits, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _packed(digests: pl.Series) -> bytes:
    numbers = digests.cast(pl.UInt64).drop_nulls().unique().sort().to_numpy()
    return numbers.astype("<u8", copy=False).tobytes()


def _rows(path: Path, content: Mapping[str, Any]) -> dict[str, NDArray[np.uint64]] | None:
    """Return the digests of each destination, or None where the file is not the one that the verdict speaks of."""
    import numpy as np  # only where there is a verdict: importing it takes a while

    try:
        numbers = np.fromfile(path, dtype="<u8")
    except OSError:
        return None
    if hashlib.sha256(numbers.data).hexdigest() != content["rows_sha256"]:
        return None
    ends = np.cumsum(list(content["rows"].values()))
    return dict(zip(content["rows"], np.split(numbers.astype(np.uint64, copy=False), ends), strict=False))


def _read(path: Path) -> dict[str, Any]:
    """Return the content of an intact verdict, or nothing."""
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return {}
    seal = content.pop("seal", None)
    return content if seal == _seal(content) else {}


def _seal(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
