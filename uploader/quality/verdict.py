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

import orjson
import polars as pl

from uploader import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from uploader.quality.report import Report
    from uploader.settings import QualitySettings

FILE: Final = "verdict.json"
FORMAT: Final = 1
_PIECE: Final = 1 << 20
"""Characters; a multiple of 4, so that each piece of base64 can be read by itself."""


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
        rows: dict[str, str] = content["rows"]
        unpacked = {name: _unpack(rows.pop(name)) for name in list(rows)}
        return cls({name: digests for name, digests in unpacked.items() if digests is not None})

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


def _pack(digests: pl.Series) -> str:
    numbers = digests.cast(pl.UInt64).drop_nulls().unique().sort().to_numpy()
    return base64.b64encode(numbers.astype("<u8", copy=False).tobytes()).decode("ascii")


def _unpack(packed: str) -> NDArray[np.uint64] | None:
    import numpy as np  # only where there is a verdict: importing it takes a while

    numbers = bytearray()
    try:
        for piece in _pieces(packed):
            numbers += base64.b64decode(piece, validate=True)
        return np.frombuffer(numbers, dtype="<u8").astype(np.uint64, copy=False)
    except (binascii.Error, ValueError):
        return None


def _pieces(text: str) -> Iterator[bytes]:
    """Cut a long text, so that it does not stand in memory a second time."""
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE].encode()


def _read(path: Path) -> dict[str, Any]:
    """Return the content of an intact verdict, or nothing."""
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return {}
    rows = content.get("rows")
    if not isinstance(rows, dict) or not all(isinstance(packed, str) for packed in rows.values()):
        return {}
    seal = content.pop("seal", None)
    return content if seal == _seal(content) else {}


def _seal(content: Mapping[str, Any]) -> str:
    rows = content["rows"]
    about = {**content, "rows": {name: len(packed) for name, packed in rows.items()}}
    found = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(rows):
        for piece in _pieces(rows[name]):
            found.update(piece)
    return found.hexdigest()
