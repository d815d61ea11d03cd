"""The verdict that ``check`` leaves for ``send``: bound to the rows that were judged, and to the thresholds.

It holds for any part of those rows. Files that are missing, damaged, of another version of this package,
or that say anything else than "passed" are not accepted, and never an error: ``send`` judges again.
The seal is a checksum against damage and careless edits, not a signature.

The rows stand in a file of their own, 12 bytes for each: as text, those of ten million would take a third of the memory
of the run that sends them. A row is a digest of its key and one of its content. To find out the latter again, all of it
must be read; so where the warehouse is as it was when the rows were judged, ``send`` takes it from here.
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
FORMAT: Final = 3
KEY_DIGEST: Final = pl.col("event_key").hash(seed=0).alias("key_digest")
"""The same in every process, as long as Polars has the same version: with another one, no row is found again."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was judged: per destination id, ``key_digest`` (UInt64) and ``row_digest`` (UInt32) of each row.

    ``warehouse`` is its state then; see `uploader.warehouse.outbox.state`.
    """

    rows: Mapping[str, pl.DataFrame]
    warehouse: str


def verdict_files(report: Report, judged: Judged) -> dict[str, bytes]:
    """Return the verdict's files by their names, in the order to write them.

    First come the digests of all keys, in the order of the destination ids and each time sorted, then those of their
    rows in the same order, as little-endian numbers. The JSON tells how many rows there are of each.
    """
    parts = {name: _ordered(judged.rows[name]) for name in sorted(judged.rows)}
    columns = (("key_digest", "<u8"), ("row_digest", "<u4"))
    rows = b"".join(part[name].to_numpy().astype(kind).tobytes() for name, kind in columns for part in parts.values())
    content: dict[str, Any] = {
        "format": FORMAT,
        "passed": report.passed,
        "judged_at": report.judged_at.isoformat(),
        "version": __version__,
        "thresholds_sha256": thresholds_digest(report.thresholds),
        "warehouse": judged.warehouse,
        "rows": {name: part.height for name, part in parts.items()},
        "rows_sha256": hashlib.sha256(rows).hexdigest(),
    }
    text = json.dumps({**content, "seal": _seal(content)}, indent=2) + "\n"
    return {ROWS_FILE: rows, FILE: text.encode()}


@dataclass(frozen=True, slots=True)
class Passed:
    """A passing verdict: per destination id, the digests of the keys that it covers, in order, and those of their rows.

    ``warehouse`` is as in `Judged`.
    """

    rows: Mapping[str, tuple[NDArray[np.uint64], NDArray[np.uint32]]]
    warehouse: str

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
        return None if rows is None else cls(rows, str(content.get("warehouse")))

    def covers(self, destination_id: str, wanted: pl.DataFrame) -> bool:
        """Say whether all these rows (``event_key``, ``row_digest``) are among those judged."""
        digests = wanted["row_digest"]
        if digests.dtype != pl.UInt32 or digests.null_count():
            return False
        return bool(self.digests(destination_id, wanted["event_key"]).eq_missing(digests).all())

    def digests(self, destination_id: str, event_keys: pl.Series) -> pl.Series:
        """Return the ``row_digest`` (UInt32) that the rows of these keys had, NULL for one that was not judged."""
        keys, rows = self.rows.get(destination_id, (None, None))
        if keys is None or rows is None or not len(keys):
            return pl.Series("row_digest", [None] * len(event_keys), pl.UInt32)
        asked = event_keys.to_frame("event_key").select(KEY_DIGEST).to_series().to_numpy()
        order = asked.argsort()  # in order they are found several times faster
        places = order.copy()
        places[order] = keys.searchsorted(asked[order]).clip(max=len(keys) - 1)
        is_known = pl.Series(keys[places] == asked)
        return pl.select(pl.when(is_known).then(pl.Series(rows[places])).alias("row_digest")).to_series()


def thresholds_digest(thresholds: QualitySettings) -> str:
    """Return a digest that changes with each threshold."""
    # 10 and 10.0 are the same threshold: a default is not converted as a configured one is.
    limits = {
        name: float(value) if isinstance(value, int) else value for name, value in thresholds.model_dump().items()
    }
    text = json.dumps(limits, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    known = rows.select(pl.col("key_digest").cast(pl.UInt64), pl.col("row_digest").cast(pl.UInt32))
    return known.drop_nulls().unique("key_digest").sort("key_digest")


def _rows(path: Path, content: Mapping[str, Any]) -> dict[str, tuple[NDArray[np.uint64], NDArray[np.uint32]]] | None:
    """Return the digests of each destination, or None where the file is not the one that the verdict speaks of."""
    import numpy as np  # only where there is a verdict: importing it takes a while

    try:
        found = np.fromfile(path, dtype=np.uint8)
    except OSError:
        return None
    if hashlib.sha256(found.data).hexdigest() != content["rows_sha256"]:
        return None
    ends = np.cumsum(list(content["rows"].values()), dtype=np.int64)
    begin = 8 * (int(ends[-1]) if len(ends) else 0)
    keys = np.split(found[:begin].view("<u8"), ends)
    rows = np.split(found[begin:].view("<u4"), ends)
    return {name: (keys[place], rows[place]) for place, name in enumerate(content["rows"])}


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
