"""The manifest beside the sent log: it notices a log that was lost, changed, or restored from an old copy."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from uploader.errors import LedgerRegression, TryLater
from uploader.ledger.files import sync_folder

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Manifest:
    """Who the sent log is, and how far it had come.

    ``digest`` is that of the log's file when it was last written to, None while it is being written to, and
    ``is_closed`` that a run has ended since in good order: then the file alone is the log.
    """

    ledger_id: str
    high_water: int
    schema_version: int
    digest: str | None = None
    is_closed: bool = False

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
            return cls(
                ledger_id=str(content["ledger_id"]),
                high_water=int(content["high_water"]),
                schema_version=int(content["schema_version"]),
                digest=content.get("digest"),
                is_closed=bool(content.get("is_closed")),
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError, OSError):
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
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        # A file object writes all of it or raises; os.write may stop in the middle on a full disk.
        with os.fdopen(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
