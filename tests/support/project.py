"""A copy of the project in a folder of its own, where dbt and the uploader run as a person runs them."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

UNREAD = {"DBT_WRITE_JSON": "false", "DBT_LOG_LEVEL_FILE": "none", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
"""What dbt writes and no test reads, a tenth of its time. Who looks into these files turns them on in its settings."""


@dataclass(frozen=True)
class Project:
    """``folder`` holds what dbt needs; every command gets ``settings`` as environment variables."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def copy(cls, folder: Path, settings: Mapping[str, str]) -> Project:
        """Copy models, macros, seeds and SQL tests, and what dbt makes of them: it parses only what is changed then."""
        made = cls(folder, settings)
        shutil.copytree(_parsed(), folder, dirs_exist_ok=True)
        return made

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.folder / "warehouse.duckdb"

    def run(self, *command: str, exit_code: int = 0) -> str:
        """Run a command in the folder and return its stdout; it must exit as expected."""
        environment = {**os.environ, **UNREAD, **self.settings}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == exit_code, f"{command} exited {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def uploader(self, *words: str, exit_code: int = 0) -> str:
        """Run ``uploader``."""
        return self.run(sys.executable, "-m", "uploader", *words, exit_code=exit_code)

    def dbt(self, *words: str, exit_code: int = 0) -> str:
        """Run ``dbt``."""
        return self.run(sys.executable, "-c", "from dbt.cli.main import cli; cli()", *words, exit_code=exit_code)


@functools.cache
def _parsed() -> Path:
    """Return one folder for all copies of this process: dbt has parsed the project in it.

    It must stay: where a seed is unchanged, dbt reads the file that it has parsed.
    """
    folder = Path(tempfile.mkdtemp(prefix="conversions-project-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("models", "macros", "seeds", "tests/sql"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, folder / name)
    Project(folder).dbt("--quiet", "parse")
    return folder
