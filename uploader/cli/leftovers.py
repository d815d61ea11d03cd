"""Files that a person may have left traces in: reports of the gate, and what dbt writes beside the warehouse."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from uploader.cli.context import environment, output_folder
from uploader.errors import TryLater

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_TELLING: Final = 6
"""A shorter text that is no address, like the order 17, stands for nobody in a file of dbt's."""
_DATABASES: Final = (".duckdb", ".sqlite", ".wal", ".lock")


def clear_files(texts: Collection[str]) -> list[str]:
    """Delete the gate's reports, and each file of dbt's that has one of the texts; the next run writes them anew."""
    try:
        return [*_reports(), *_of_dbt(texts)]
    except OSError as error:
        raise TryLater(f"A report cannot be deleted ({error.strerror}): {error.filename}. Try again.") from None


def _reports() -> Iterator[str]:
    folder = output_folder()
    if folder.is_dir():
        shutil.rmtree(folder)
        yield str(folder)


def _of_dbt(texts: Collection[str]) -> Iterator[str]:
    telling = sorted(text for text in texts if "@" in text or len(text) >= _TELLING)
    if not telling:
        return
    pattern = re.compile(
        rb"(?<![0-9A-Za-z])(?:" + b"|".join(re.escape(text.encode()) for text in telling) + rb")(?![0-9A-Za-z])"
    )
    for folder in _folders():
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if (
                path.is_file()
                and not path.is_symlink()
                and path.suffix not in _DATABASES
                and pattern.search(path.read_bytes())
            ):
                path.unlink()
                yield str(path)


def _folders() -> list[Path]:
    """Return where dbt writes: as the environment says, else the project's file, else where it always does."""
    variables = environment()
    try:
        project = yaml.safe_load(Path("dbt_project.yml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        project = {}
    target = variables.get("DBT_TARGET_PATH") or str(project.get("target-path") or "target")
    logs = variables.get("DBT_LOG_PATH") or str(project.get("log-path") or "logs")
    return [Path(os.path.expandvars(target)), Path(os.path.expandvars(logs))]
