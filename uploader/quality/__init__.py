"""The quality gate: may this batch leave? Importing it does not import Great Expectations.

report = judge(due, window, bands, thresholds, judged_at=clock())
write(report, directory, digests)
accepts(directory, digests, thresholds)
"""

from __future__ import annotations

from uploader.quality.artifacts import write
from uploader.quality.gate import judge
from uploader.quality.render import table
from uploader.quality.report import Check, Report
from uploader.quality.verdict import accepts

__all__ = ["Check", "Report", "accepts", "judge", "table", "write"]
