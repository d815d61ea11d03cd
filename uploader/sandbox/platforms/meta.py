"""Meta among the platforms: its rules stand in `uploader.sandbox.meta`. It also answers whatever belongs to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uploader.sandbox.meta import PATH, Meta
from uploader.sandbox.meta_count import received
from uploader.sandbox.received import Upload

if TYPE_CHECKING:
    from datetime import datetime

    from uploader.sandbox.faults import Fault
    from uploader.sandbox.platforms import Access
    from uploader.sandbox.wire import Call


class Platform:
    """See `uploader.sandbox.platforms.Platform`."""

    def __init__(self, access: Access) -> None:
        self._meta = Meta(access.token, access.dataset_ids, access.version)

    def is_mine(self, path: str) -> bool:
        """See `uploader.sandbox.platforms.Platform`."""
        return PATH.fullmatch(path) is not None

    def is_upload(self, path: str) -> bool:
        """See `uploader.sandbox.platforms.Platform`."""
        place = PATH.fullmatch(path)
        return bool(place and place["edge"])

    def dataset_of(self, path: str) -> str:
        """See `uploader.sandbox.platforms.Platform`."""
        place = PATH.fullmatch(path)
        return place["dataset_id"] if place else ""

    def judge(self, call: Call, now: datetime, trace_id: str, fault: Fault | None) -> Upload:
        """See `uploader.sandbox.platforms.Platform`."""
        judged = self._meta.judge(call, now)
        claimed = None
        if fault is not None and fault.kind == "wrong_count":
            claimed = len(judged.events) - 1 if fault.received is None else fault.received
        return Upload(
            judged.dataset_id,
            judged.answer(trace_id, claimed),
            tuple(received(event) for event in judged.events),
            judged.refusal.label if judged.refusal else None,
            sent=len(judged.events),
            is_upload=judged.is_upload,
            is_test=judged.test_event_code is not None,
            token_from=judged.token_from,
            warnings=judged.warnings,
        )
