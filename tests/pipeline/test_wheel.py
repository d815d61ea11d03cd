"""What users install: the wheel, in an environment that does not have this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.repository import ROOT, matching

COMMANDS = {"check", "demo", "doctor", "explain", "load", "plan", "sandbox", "send", "status"}


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, without this checkout on Python's path."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"NO_COLOR": "1", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the checkout, without network."""
    folder = tmp_path_factory.mktemp("dist")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    built = run(*pip, "--wheel-dir", folder, ROOT, folder=folder)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a fresh environment, and return that environment's folder of programs.

    The dependencies are those of this environment, by a path file. Path files inside of that path are not
    followed, so the editable installation of the checkout stays out of it.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    done = run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel, folder=home)
    assert done.returncode == 0, done.stderr
    packages = next((home / "lib").glob("python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return home / "bin"


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Every file below uploader/ is in it, the schema of the sent log too; beside it stands only metadata."""
    names = zipfile.ZipFile(wheel).namelist()
    ours = {name for name in names if ".dist-info/" not in name}
    assert ours == set(matching(r"uploader/"))
    assert "uploader/ledger/migrations/0003.sql" in ours


def test_the_installed_package_is_the_one_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Otherwise the other tests of this file would look at the checkout."""
    code = "import uploader.ledger; print(uploader.ledger.__file__)"
    found = run(installed / "python", "-c", code, folder=tmp_path)
    assert Path(found.stdout.strip()).is_relative_to(installed.parent)


def test_help_lists_every_command(installed: Path, tmp_path: Path) -> None:
    """From an empty folder, without a project, settings or a warehouse."""
    told = run(installed / "uploader", "--help", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    listed = told.stdout.split("Commands:")[1]
    assert {line.split()[0] for line in listed.splitlines() if line.strip()} >= COMMANDS
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(installed: Path, tmp_path: Path, command: str) -> None:
    """Each one imports all it needs from the wheel."""
    told = run(installed / "uploader", command, "--help", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    assert f"Example: uploader {command}" in " ".join(told.stdout.split())


def test_outside_of_a_project_it_says_where_to_go(installed: Path, tmp_path: Path) -> None:
    """A message and exit 78, no traceback, and nothing is left behind."""
    told = run(installed / "uploader", "plan", folder=tmp_path)
    assert (told.returncode, told.stdout) == (78, "")
    assert "Run the command in the folder of the dbt project." in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_that_of_the_package(installed: Path, wheel: Path, tmp_path: Path) -> None:
    """`uploader --version` and the wheel's name agree."""
    told = run(installed / "uploader", "--version", folder=tmp_path)
    assert told.stdout.strip() == wheel.name.split("-")[1]
