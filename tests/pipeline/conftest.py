"""What the tests of the commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.shop import Shop, opened, orders


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shop]:
    """A shop that sold three things that may be sent, and one without consent."""
    with opened(tmp_path, monkeypatch, capsys) as it:
        held = {"is_sendable": False, "hold_reason": "consent_denied", "consent_at_event": "denied"}
        it.sells(*orders(3), *[orders(4)[3] | held])
        yield it
