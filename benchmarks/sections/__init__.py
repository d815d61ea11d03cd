"""The sections, in the order in which they run: a name to ask for each by, and what makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.sections import commands, encoding, growth, isolation, models, sending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.bench import Bench
    from benchmarks.table import Result

SECTIONS: Final[Mapping[str, Callable[[Bench], Result]]] = {
    "check": commands.check,
    "plan": commands.plan,
    "encode": encoding.encode,
    "send": sending.send,
    "slow": sending.slow,
    "isolation": isolation.isolation,
    "memory": growth.memory,
    "nothing": growth.nothing_new,
    "dbt": models.models,
}
