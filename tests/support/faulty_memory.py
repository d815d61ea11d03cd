"""How much more memory a piece of work takes at its peak."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PROCESS = Path("/proc/self")


@dataclass
class Growth:
    """Filled when the work is done."""

    mib: float = 0.0


@contextmanager
def watched() -> Iterator[Growth]:
    """Measure the peak of the process where the system tells it (Linux), else that of Python's own objects."""
    growth = Growth()
    if (_PROCESS / "clear_refs").exists():
        # 5: begin the peak anew (proc(5)).
        (_PROCESS / "clear_refs").write_text("5", encoding="ascii")
        before = _kib("VmRSS")
        yield growth
        growth.mib = (_kib("VmHWM") - before) / 1024
    else:
        tracemalloc.start()
        yield growth
        growth.mib = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()


def _kib(name: str) -> int:
    status = (_PROCESS / "status").read_text(encoding="ascii")
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    assert found
    return int(found[1])
