"""The manifest beside the sent log: it notices a log that was lost or restored from an old copy."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from uploader.errors import LedgerRegression, TryLater

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Manifest:
    """Who the sent log is, and how far it had come."""

    ledger_id: str
    high_water: int
    schema_version: int

    @classmethod
    def of(cls, ledger_id: str, high_water: int, schema_version: int) -> Self:
        """Describe a ledger."""
        return cls(ledger_id, high_water, schema_version)

    @staticmethod
    def path_for(ledger: Path) -> Path:
        """Return where the manifest of a ledger stands."""
        return ledger.with_name(ledger.name + ".manifest.json")

    @classmethod
    def read(cls, ledger: Path) -> Self | None:
        """Return the manifest of a ledger, or None where there is none."""
        path = cls.path_for(ledger)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(str(content["ledger_id"]), int(content["high_water"]), int(content["schema_version"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OSError):
            message = f"{path} cannot be read, so the sent log cannot be proved whole. Restore it from a backup."
            raise LedgerRegression(message) from None

    def write(self, ledger: Path) -> None:
        """Replace the manifest on the disk, whole or not at all."""
        try:
            self._replace(self.path_for(ledger))
        except OSError as error:
            message = f"The manifest of the sent log cannot be written ({error.strerror}). No further request is made."
            raise TryLater(message) from None

    def _replace(self, path: Path) -> None:
        temporary = path.with_name(path.name + ".tmp")
        descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, json.dumps(asdict(self)).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
