"""The platforms that the sandbox stands for: one module each, found by itself, with a class ``Platform``."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.sandbox.faults import Fault
    from uploader.sandbox.received import Upload
    from uploader.sandbox.wire import Call


@dataclass(frozen=True, slots=True)
class Access:
    """Who may write where: the one token, and the datasets; None means any. ``version`` is that of versioned paths."""

    token: str
    dataset_ids: frozenset[str] | None
    version: str


class Platform(Protocol):
    """One platform: calls in, judgements out. It counts nothing, and never looks at a clock."""

    def __init__(self, access: Access) -> None:
        """Stand for an account at the platform."""

    def is_mine(self, path: str) -> bool:
        """Tell whether a path is one of the platform's."""

    def is_upload(self, path: str) -> bool:
        """Tell whether events are posted to this path."""

    def dataset_of(self, path: str) -> str:
        """Return whose events are posted to this path, as far as the path says it."""

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:
        """Judge a call received at ``now``. ``fault`` is the switched-on fault that the answer is to have."""


def load(access: Access) -> dict[str, Platform]:
    """Return every platform by its module's name; the first that a path belongs to answers."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").Platform(access) for name in names}
