"""What the stand-ins of most platforms share: whose path it is, and who may write there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from uploader.sandbox.wire import UnreadableError, strict_json

if TYPE_CHECKING:
    import re

    from uploader.sandbox.platforms import Access
    from uploader.sandbox.wire import Call


class StandIn:
    """One platform with one path for uploads; ``path`` may have a group ``dataset_id``."""

    path: ClassVar[re.Pattern[str]]

    def __init__(self, access: Access) -> None:
        self.access = access

    def is_mine(self, path: str) -> bool:
        """See `uploader.sandbox.platforms.Platform`."""
        return self.path.fullmatch(path) is not None

    def is_upload(self, path: str) -> bool:
        """See `uploader.sandbox.platforms.Platform`."""
        return self.is_mine(path)

    def dataset_of(self, path: str) -> str:
        """See `uploader.sandbox.platforms.Platform`."""
        found = self.path.fullmatch(path)
        return (found.groupdict().get("dataset_id") or "") if found else ""

    def is_token(self, token: str | None) -> bool:
        """Tell whether it is the right token."""
        return token == self.access.token

    def is_known(self, dataset_id: str) -> bool:
        """Tell whether there is such a dataset."""
        return self.access.dataset_ids is None or dataset_id in self.access.dataset_ids


def bearer(call: Call) -> str | None:
    """Return the token of a header ``Authorization: Bearer``."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def json_body(call: Call) -> dict[str, object] | None:
    """Return a call's body where it is a JSON object; None for anything else."""
    try:
        found = strict_json(call.body)
    except UnreadableError:
        return None
    return found if isinstance(found, dict) else None
