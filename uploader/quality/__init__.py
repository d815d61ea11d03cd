"""The quality gate: may this batch leave? Importing it does not import Great Expectations.

report = judge(Due.gather(parts), window, bands, thresholds, judged_at=clock())
write(report, directory, judged)
Passed.read(directory, thresholds).covers(destination_id, rows)
"""

from __future__ import annotations

from uploader.quality.artifacts import write
from uploader.quality.due import Due
from uploader.quality.expectations import get_ready
from uploader.quality.gate import judge
from uploader.quality.render import table
from uploader.quality.report import Check, Report
from uploader.quality.rules import LOOKED_INTO
from uploader.quality.shares import MATCH_KEYS
from uploader.quality.verdict import KEY_DIGEST, Judged, Passed

__all__ = [
    "KEY_DIGEST",
    "LOOKED_INTO",
    "MATCH_KEYS",
    "Check",
    "Due",
    "Judged",
    "Passed",
    "Report",
    "get_ready",
    "judge",
    "table",
    "write",
]
