"""The size of a proof: small in everyday runs, full when the environment variable PROOF_SIZE says so."""

from __future__ import annotations

import os


def _asked_for() -> bool:
    return os.environ.get("PROOF_SIZE") == "full"


def full() -> bool:
    """Tell whether proofs run at full size: PROOF_SIZE=full."""
    return _asked_for()


def size(small: int, full: int) -> int:
    """Choose how often a loop runs."""
    return full if _asked_for() else small
